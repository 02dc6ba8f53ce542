//! The commands that need the lab: the demo, simulations and the emulated router.

mod demo;
mod demo_network;
mod emulate;
mod simulate;

use clap::Subcommand;

use super::{Failure, block_on};

#[derive(Debug, Subcommand)]
pub(super) enum LabCommand {
    /// Run the controller on two simulated WANs and an emulated router.
    Demo(demo::DemoArgs),
    /// Emulate a RouterOS router with shaped queues.
    EmulateRouter(emulate::EmulateArgs),
    /// Pass a command line of an SSH server to the console of an emulated router.
    #[command(hide = true)]
    EmulateConsole(emulate::EmulateConsoleArgs),
    /// Run control laws on simulated links in virtual time, and compare them.
    Simulate(Box<simulate::SimulateArgs>),
}

/// Runs one of the commands.
pub(super) fn run(command: LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::Demo(args) => block_on(demo::run(args)),
        LabCommand::EmulateRouter(args) => block_on(emulate::run(args)),
        LabCommand::EmulateConsole(args) => emulate::run_console(&args),
        LabCommand::Simulate(args) => simulate::run(&args),
    }
}
