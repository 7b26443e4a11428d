//! The catalogue of mistakes: every code has a page with a wrong and a right example, and both are compiled here; every case of
//! `tests/ui` has as many errors as it has mistakes. `PAGES=RTX0002,RTX0003` looks at some pages only.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use routilux_graph::Code;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};
use tests::project::Project;

/// What a page says of its mistake.
struct Page {
    code: Code,
    /// What the compiler's own message has in it, where it is the compiler that tells the mistake.
    compiler: Option<String>,
    /// Whether the compiler tells it in several messages.
    several: bool,
    wrong: String,
    /// Whether the wrong example is not compiled.
    ignored: bool,
    right: String,
}

/// Mistakes that no single file shows: too many routines for the compiler's limit, and two versions of the crate.
const NOT_SHOWN: [Code; 2] = [Code::RecursionLimit, Code::TwoVersions];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn wanted() -> Vec<Code> {
    let only = env::var("PAGES").ok();
    let is_wanted = |code: &&Code| only.as_ref().is_none_or(|only| only.contains(&code.to_string()));
    Code::ALL.iter().filter(is_wanted).copied().collect()
}

fn page(code: Code) -> Page {
    let path = root().join(format!("docs/errors/{code}.md"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(format!("# {code}: {}", code.headline()).as_str()), "the title");
    let underlined = format!("Underlined: {}.", code.token());
    assert!(text.lines().any(|line| line == underlined), "{code}: `{underlined}` is missing");
    let compiler =
        text.lines().find_map(|line| line.strip_prefix("The compiler says it: `")?.strip_suffix("`."));
    let several = text.lines().any(|line| line == "It says it more than once.");
    assert!(compiler.is_some() || !several, "{code}: ours is told once");
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind.to_owned(), block.join("\n")));
        }
    }
    let [(wrong_kind, wrong), (right_kind, right)] = blocks.as_slice() else {
        panic!("{code}: a page has two blocks of code, the wrong and the right one");
    };
    let ignored = wrong_kind == "rust,ignore";
    assert!(
        wrong_kind == "rust,compile_fail" || (ignored && NOT_SHOWN.contains(&code)),
        "{code}: {wrong_kind}"
    );
    assert_eq!(right_kind, "rust", "{code}");
    let [wrong, right] = [wrong, right].map(Clone::clone);
    Page { code, compiler: compiler.map(str::to_owned), several, wrong, ignored, right }
}

/// A diagnostic of the compiler: its level, its message with all that hangs on it, and how many places it underlines.
struct Told {
    level: String,
    message: String,
}

/// Checks a crate whose programs are these, and returns what is told of each.
fn check(programs: &BTreeMap<String, String>) -> BTreeMap<String, Vec<Told>> {
    let project = Project::new("errors").unwrap();
    for (name, program) in programs {
        project.write(&format!("src/bin/{name}.rs"), program).unwrap();
    }
    let output =
        project.cargo("check").args(["--bins", "--keep-going", "--message-format", "json"]).output().unwrap();
    let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (Some(target), Some(message)) = (line["target"]["name"].as_str(), line.get("message")) else {
            continue;
        };
        // The last line, "aborting due to", stands nowhere.
        let places = message["spans"].as_array().map_or(0, Vec::len);
        if places > 0
            && programs.contains_key(target)
            && seen.insert((target.to_owned(), message.to_string()))
        {
            told.entry(target.to_owned()).or_default().push(Told {
                level: message["level"].as_str().unwrap_or_default().to_owned(),
                message: message["rendered"].as_str().unwrap_or_default().to_owned(),
            });
        }
    }
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(!seen.is_empty() || output.status.success(), "cargo: {failed}");
    told
}

#[test]
fn the_wrong_example_of_each_page_has_its_error_and_the_right_one_none() {
    let pages: Vec<Page> = wanted().into_iter().map(page).collect();
    let mut programs = BTreeMap::new();
    let mut right = "#![allow(dead_code, unused)]\n".to_owned();
    for page in &pages {
        let name = page.code.to_string().to_lowercase();
        if !page.ignored {
            let main = if page.wrong.contains("fn main()") { "" } else { "fn main() {}\n" };
            programs.insert(name.clone(), format!("#![allow(dead_code, unused)]\n{}\n{main}", page.wrong));
        }
        right += &format!("mod {name} {{\n{}\n}}\n", page.right);
    }
    programs.insert("right".to_owned(), right + "fn main() {}\n");
    let told = check(&programs);
    let mut wrong = Vec::new();
    for page in pages.iter().filter(|page| !page.ignored) {
        let name = page.code.to_string().to_lowercase();
        let told = told.get(&name).map(Vec::as_slice).unwrap_or_default();
        let says = page.compiler.clone().unwrap_or_else(|| format!("[{}]", page.code));
        let is_it = |told: &Told| told.message.contains(&says);
        // A warning of ours is the only one of its program.
        let is_one = match told {
            [only] => is_it(only),
            several => page.several && several.iter().any(is_it),
        };
        if !is_one {
            let all: Vec<String> =
                told.iter().map(|told| format!("{}: {}", told.level, told.message)).collect();
            wrong.push(format!(
                "{}: one message with {says} was to come, and came: {}",
                page.code,
                all.join("\n")
            ));
        }
    }
    for told in told.get("right").into_iter().flatten() {
        wrong.push(format!("a right example: {}: {}", told.level, told.message));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_list_of_pages_is_the_catalogue() {
    let path = root().join("docs/errors/README.md");
    let mut list = "# The mistakes that routilux finds while compiling\n\nA message ends with the code of its page. Where the compiler's \
                    own message serves, the page says which one it is.\n\n| code | mistake | underlined |\n|---|---|---|\n"
        .to_owned();
    for code in Code::ALL {
        list += &format!("| [{code}]({code}.md) | {} | {} |\n", code.headline(), code.token());
    }
    list += "\n## By what the compiler says\n\nWhere its own message serves, it has no code of ours.\n\n| the compiler says | see |\n|---|---|\n";
    for code in Code::ALL {
        if let Some(says) = page(*code).compiler {
            list += &format!("| `{says}` | [{code}]({code}.md): {} |\n", code.headline());
        }
    }
    if env::var_os("CATALOGUE").is_some_and(|value| value == "overwrite") {
        fs::write(&path, &list).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), list, "run with CATALOGUE=overwrite");
    let mut pages: Vec<String> = fs::read_dir(root().join("docs/errors"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("RTX"))
        .collect();
    pages.sort();
    let codes: Vec<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    assert_eq!(pages, codes);
}

/// The codes and error numbers of a `.stderr`, one for each message: ours where it has one.
fn told_in(stderr: &str) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut open = false;
    for line in stderr.lines() {
        let is_headline = line.starts_with("error") || line.starts_with("warning");
        if is_headline {
            let number = line.strip_prefix("error[").and_then(|rest| rest.split_once(']'));
            told.push(number.map_or_else(|| "compiler".to_owned(), |(number, _)| number.to_owned()));
            open = true;
        }
        // The code stands at the end of the message, which may have several lines.
        if open
            && let Some((_, code)) = line.strip_suffix(']').and_then(|line| line.rsplit_once('['))
            && code.starts_with("RTX")
        {
            if let Some(last) = told.last_mut() {
                code.clone_into(last);
            }
            open = false;
        }
        open &= !line.trim_start().starts_with("-->");
    }
    told
}

/// The last line of each case is `//~` and the mistakes in it, in the order in which they are told. `MISTAKES=overwrite` writes down what
/// is told now; count the mistakes then.
#[test]
fn each_case_has_one_error_for_each_mistake() {
    let mut wrong = Vec::new();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("ui"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    cases.sort();
    for path in &cases {
        let source = fs::read_to_string(path).unwrap();
        let told = told_in(&fs::read_to_string(path.with_extension("stderr")).unwrap());
        for code in &told {
            *shown.entry(code.clone()).or_default() += 1;
        }
        let line = format!("//~ {}", told.join(" "));
        let last = source.lines().last().unwrap_or_default();
        if last != line && env::var_os("MISTAKES").is_some_and(|value| value == "overwrite") {
            let kept: Vec<&str> = source.lines().filter(|line| !line.starts_with("//~")).collect();
            fs::write(path, format!("{}\n{line}\n", kept.join("\n"))).unwrap();
        } else if last != line {
            wrong.push(format!("{}: it ends with `{last}`, and told is `{line}`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What only the compiler tells has its page, and no code of ours in the message.
    let by_compiler = |code: &Code| page(*code).compiler.is_some() || NOT_SHOWN.contains(code);
    let missing: Vec<String> = Code::ALL
        .iter()
        .filter(|code| !shown.contains_key(&code.to_string()) && !by_compiler(code))
        .map(|code| format!("{code}: {}", code.headline()))
        .collect();
    assert!(missing.is_empty(), "no case in tests/ui has\n{}", missing.join("\n"));
    let mistakes: usize = shown.values().sum();
    println!("{} codes, {} cases, {mistakes} mistakes", Code::ALL.len(), cases.len());
}
