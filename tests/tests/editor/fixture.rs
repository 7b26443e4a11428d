//! The crate that the editor opens: `fixture/`, copied out of this workspace, so that it is a crate of a user's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) struct Fixture {
    pub(crate) root: PathBuf,
    /// By name, `src/flows.rs`: as they are on the disk.
    pub(crate) files: BTreeMap<String, String>,
}

/// Written anew where a test can build it again and again.
pub(crate) fn write(name: &str) -> Fixture {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (workspace, from) = (here.parent().unwrap(), here.join("tests/editor/fixture"));
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(root.join("src")).unwrap();
    let manifest = std::fs::read_to_string(from.join("Cargo.toml.in")).unwrap();
    let routilux = workspace.join("routilux").display().to_string();
    std::fs::write(root.join("Cargo.toml"), manifest.replace("@routilux@", &routilux)).unwrap();
    // The same dependencies: nothing is downloaded for it.
    std::fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(from.join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("src/{}", path.file_name().unwrap().to_string_lossy());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(root.join(&name), &text).unwrap();
        files.insert(name, text);
    }
    Fixture { root, files }
}

/// Where it is built.
pub(crate) fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
