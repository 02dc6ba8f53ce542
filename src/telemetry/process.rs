//! The process metrics of the Prometheus conventions, read from `/proc` at each scrape.
//!
//! The library has no collector of its own for them. Where there is no `/proc` nothing is
//! exported, which means unknown.

use std::{fs, time::Duration};

use crate::catalogue::{Catalogue, Figure};

/// Clock ticks per second in `/proc/*/stat`; fixed in the kernel's user interface on all Linux
/// architectures that matter here.
const TICKS_PER_SECOND: f64 = 100.0;

/// Declares CPU time, memory, file descriptors, threads and start time of this process, under the
/// names that all of Prometheus uses.
pub fn declare_process(c: &mut Catalogue) {
    let figures = [
        Figure::counter("process_cpu_seconds_total", "User and system CPU time of this process"),
        Figure::gauge("process_resident_memory_bytes", "Resident memory"),
        Figure::gauge("process_virtual_memory_bytes", "Virtual memory"),
        Figure::gauge("process_threads", "Threads"),
        Figure::gauge("process_open_fds", "Open file descriptors"),
        Figure::gauge("process_max_fds", "Maximum number of open file descriptors"),
        Figure::gauge("process_start_time_seconds", "Unix time of the process start"),
    ];
    c.figures(figures.map(|figure| figure.when("on Linux")), || {
        Process::read().map_or([None; 7], |process| {
            let Process { cpu, resident_bytes, virtual_bytes, threads, .. } = process;
            [
                Some(cpu.as_secs_f64()),
                Some(resident_bytes),
                Some(virtual_bytes),
                Some(threads),
                Some(process.open_fds),
                process.max_fds,
                Some(process.start),
            ]
        })
    });
}

/// Figures of `/proc/self`.
#[derive(Debug, Clone, Copy)]
struct Process {
    cpu: Duration,
    resident_bytes: f64,
    virtual_bytes: f64,
    threads: f64,
    open_fds: f64,
    /// `None` if there is no limit.
    max_fds: Option<f64>,
    start: f64,
}

impl Process {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The command may hold spaces and brackets: count from behind its closing one.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        // Numbered as in proc(5), where the state behind the command is field 3.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let resident_kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<f64>().ok())?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let boot = boot
            .lines()
            .find_map(|line| line.strip_prefix("btime "))
            .and_then(|seconds| seconds.parse::<f64>().ok())?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let max_fds = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))
            .and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<f64>().ok());
        Some(Self {
            max_fds,
            cpu: Duration::from_secs_f64((field(14)? + field(15)?) / TICKS_PER_SECOND),
            resident_bytes: resident_kib * 1024.0,
            virtual_bytes: field(23)?,
            threads: field(20)?,
            open_fds: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
            start: boot + field(22)? / TICKS_PER_SECOND,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_figures_are_those_of_a_living_process() {
        let process = Process::read().expect("/proc is there on Linux");
        assert!(process.resident_bytes > 100_000.0);
        assert!(process.virtual_bytes >= process.resident_bytes);
        assert!(process.threads >= 1.0 && process.open_fds >= 3.0);
        assert!(process.max_fds.is_none_or(|most| most > process.open_fds));
        let now = crate::clock::Clock::wall().seconds();
        assert!(process.start > 1.5e9 && process.start <= now + 1.0, "{}", process.start);
    }
}
