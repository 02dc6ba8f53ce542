//! The commands that need the lab: the demo, simulations and the emulated router.

mod demo;
mod demo_network;
mod emulate;
mod emulate_console;
mod simulate;

use clap::Subcommand;

use super::{Failure, block_on};

#[derive(Debug, Subcommand)]
pub(super) enum LabCommand {
    /// Watch the real controller work on two simulated WANs and an emulated router.
    Demo(demo::DemoArgs),
    /// Be a RouterOS router with shaped queues, for trying things out.
    EmulateRouter(emulate::EmulateArgs),
    /// Pass a command line of an SSH server on to an emulated router's console.
    #[command(hide = true)]
    EmulateConsole(emulate_console::EmulateConsoleArgs),
    /// Run control laws on simulated links, thousands of times faster than life, and compare them.
    Simulate(Box<simulate::SimulateArgs>),
}

/// Runs one of the commands.
pub(super) fn run(command: LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::Demo(args) => block_on(demo::run(args)),
        LabCommand::EmulateRouter(args) => block_on(emulate::run(args)),
        LabCommand::EmulateConsole(args) => emulate_console::run(&args),
        LabCommand::Simulate(args) => simulate::run(&args),
    }
}
