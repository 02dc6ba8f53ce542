//! The process metrics of the Prometheus conventions, read from `/proc` at each scrape.
//!
//! The library has no collector of its own for them. Where there is no `/proc` nothing is
//! exported, which means unknown.

use std::{fs, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Clock ticks per second in `/proc/*/stat`; fixed in the kernel's user interface on all Linux
/// architectures that matter here.
const TICKS_PER_SECOND: f64 = 100.0;

/// Exports CPU time, memory, file descriptors, threads and start time of this process.
#[derive(Debug, Default)]
pub struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Some(process) = Process::read() else { return Ok(()) };
        let cpu = ConstCounter::new(process.cpu.as_secs_f64());
        let help = "User and system CPU time of this process.";
        let metric =
            encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?;
        cpu.encode(metric)?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Resident memory.", process.resident_bytes),
            ("process_virtual_memory_bytes", "Virtual memory.", process.virtual_bytes),
            ("process_threads", "Threads.", process.threads),
            ("process_open_fds", "Open file descriptors.", process.open_fds),
            ("process_start_time_seconds", "Unix time of the start.", process.start),
        ] {
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

/// What `/proc/self` tells.
#[derive(Debug, Clone, Copy)]
struct Process {
    cpu: Duration,
    resident_bytes: f64,
    virtual_bytes: f64,
    threads: f64,
    open_fds: f64,
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
        Some(Self {
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
        let now = crate::clock::Clock::wall().seconds();
        assert!(process.start > 1.5e9 && process.start <= now + 1.0, "{}", process.start);
    }
}
