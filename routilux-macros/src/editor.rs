//! Whether an editor asks. It is not built then, but looked at: what is written for it costs a build nothing.

use std::sync::OnceLock;

/// Whether it is rust-analyzer that expands a macro. It does so in a process of its own, and in every crate; the `cfg` that it
/// sets is only that of the crates in the workspace, and to name it in generated code would be a warning there. A build with
/// that `cfg` shows what rust-analyzer sees: a test makes one.
pub(crate) fn asks() -> bool {
    static ASKS: OnceLock<bool> = OnceLock::new();
    *ASKS.get_or_init(|| {
        let program = std::env::current_exe().unwrap_or_default();
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cfg!(rust_analyzer) || name.starts_with("rust-analyzer")
    })
}
