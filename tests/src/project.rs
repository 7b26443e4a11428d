//! Crates that tests write down and give to cargo. They share their dependencies, which are built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// A crate with nothing but a manifest, which depends on routilux and serde.
#[derive(Debug)]
pub struct Project {
    dir: PathBuf,
    target: PathBuf,
}

impl Project {
    /// An empty one of that name, below `target`.
    pub fn new(name: &str) -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let projects = root.join("target/projects");
        let dir = projects.join(name);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(dir.join("src"))?,
        }
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
             routilux = {{ path = {:?}, features = [\"tokio\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n\n[workspace]\n",
            root.join("routilux")
        );
        fs::write(dir.join("Cargo.toml"), manifest)?;
        // What was resolved for all of the workspace: nothing newer is fetched.
        fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock"))?;
        Ok(Project { dir, target: projects.join("target") })
    }

    /// Where cargo puts what it makes.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Writes a file of the crate.
    pub fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        fs::write(path, text)
    }

    /// Cargo, for this crate.
    pub fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([command, "--quiet", "-j2", "--manifest-path"]).arg(self.dir.join("Cargo.toml"));
        cargo.env("CARGO_TARGET_DIR", &self.target).env_remove("RUSTFLAGS").env_remove("RUSTDOCFLAGS");
        cargo
    }
}
