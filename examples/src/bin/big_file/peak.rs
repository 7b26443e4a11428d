//! How much memory the program took.

use std::fs;

/// The most memory that this process ever had at once, as Linux tells it, in a line of the report. Empty elsewhere.
pub(crate) fn line() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    match peak.and_then(|peak| peak.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()) {
        Some(kib) => format!("{:<12}{:>14}\n", "Peak memory", format!("{:.1} MiB", kib / 1024.0)),
        None => String::new(),
    }
}
