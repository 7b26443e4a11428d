//! Writes the random flows of `tests/random`: what the macro makes of them has to be known when the test is compiled.
//! `RANDOM_FLOWS` says how many, `RANDOM_FLOWS_SEED` the seed of the first; each one has the next.
#![allow(clippy::print_stdout, dead_code, unreachable_pub)]

#[path = "src/random/mod.rs"]
mod random;

use random::plan::Plan;
use random::source;
use std::fmt::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for name in ["RANDOM_FLOWS", "RANDOM_FLOWS_SEED"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/random");
    let number = |name: &str, otherwise: u64| match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name}={text} is no number")),
        Err(_) => Ok(otherwise),
    };
    let (many, seed) = (number("RANDOM_FLOWS", 24)?, number("RANDOM_FLOWS_SEED", 1)?);
    let mut text = String::new();
    for seed in seed..seed + many {
        let plan = Plan::new(seed);
        let inputs: Vec<String> = plan.inputs().iter().map(|input| format!("{input} x{input}")).collect();
        write!(text, "{}", source::text(&plan, &format!("Flow{seed}")))?;
        writeln!(text, "of_flow! {{ Flow{seed} [{}] }}\n", inputs.join(", "))?;
    }
    let flows: Vec<String> = (seed..seed + many).map(|seed| format!("{seed} Flow{seed}")).collect();
    writeln!(text, "flows! {{ {} }}", flows.join(", "))?;
    let folder = std::env::var("OUT_DIR")?;
    std::fs::write(std::path::Path::new(&folder).join("random_flows.rs"), text)?;
    Ok(())
}
