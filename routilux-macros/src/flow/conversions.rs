//! Which conversions the standard library has, by the text of the types: only to say in an error that `=>` would do. What the
//! user's own types convert into is not known here.

/// Whether `From` of the standard library makes the one of the other, as far as their names tell.
pub(super) fn is_known(from: &str, to: &str) -> bool {
    let [from, to] = [from, to].map(last_names);
    is_wrapped(&from, &to) || is_number(&from, &to) || is_text(&from, &to) || is_list(&from, &to)
}

/// `std::sync::Arc<str>` is `Arc<str>`.
fn last_names(ty: &str) -> String {
    let mut names = String::new();
    let mut word = String::new();
    for c in ty.chars().filter(|c| !c.is_whitespace()) {
        match c {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            c => {
                names.push_str(&std::mem::take(&mut word));
                names.push(c);
            }
        }
    }
    names + &word
}

fn is_wrapped(from: &str, to: &str) -> bool {
    ["Option", "Box", "Arc", "Rc", "Mutex", "RwLock"].iter().any(|outer| to == format!("{outer}<{from}>"))
}

/// Every value of the one is one of the other.
fn is_number(from: &str, to: &str) -> bool {
    let bits = |ty: &str, kind: char| ty.strip_prefix(kind)?.parse::<u32>().ok();
    let (unsigned, signed) = (|ty: &str| bits(ty, 'u'), |ty: &str| bits(ty, 'i'));
    // What a float holds without loss.
    let mantissa = match to {
        "f32" => 24,
        "f64" => 53,
        _ => 0,
    };
    match (from, to) {
        ("f32", "f64")
        | ("u8", "char")
        | ("u8" | "u16" | "bool", "usize")
        | ("u8" | "i16" | "i8", "isize") => {
            return true;
        }
        ("char", "u32" | "u64" | "u128") => return true,
        ("bool", to) => return unsigned(to).or(signed(to)).is_some(),
        _ => {}
    }
    match (unsigned(from), signed(from)) {
        (Some(from), _) => {
            from < mantissa
                || unsigned(to).is_some_and(|to| from < to)
                || signed(to).is_some_and(|to| from < to)
        }
        (_, Some(from)) => from < mantissa || signed(to).is_some_and(|to| from < to),
        (None, None) => false,
    }
}

fn is_text(from: &str, to: &str) -> bool {
    match from {
        "String" => {
            matches!(to, "PathBuf" | "OsString" | "Box<str>" | "Arc<str>" | "Rc<str>" | "Vec<u8>" | "Value")
        }
        "Box<str>" | "char" => to == "String",
        "PathBuf" => to == "OsString",
        "OsString" => to == "PathBuf",
        _ => false,
    }
}

fn is_list(from: &str, to: &str) -> bool {
    let Some(item) = from.strip_prefix("Vec<").and_then(|rest| rest.strip_suffix('>')) else { return false };
    let list = ["VecDeque", "BinaryHeap"].iter().any(|list| to == format!("{list}<{item}>"));
    list || ["Box", "Arc", "Rc"].iter().any(|outer| to == format!("{outer}<[{item}]>"))
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn conversions_of_the_standard_library_are_known() {
        let known = [
            ("u32", "u64"),
            ("u8", "f32"),
            ("u32", "f64"),
            ("u16", "i32"),
            ("bool", "u8"),
            ("String", "std::path::PathBuf"),
            ("String", "Arc<str>"),
            ("Order", "Option<Order>"),
            ("Vec<Order>", "std::sync::Arc<[Order]>"),
        ];
        for (from, to) in known {
            assert!(is_known(from, to), "{from} -> {to}");
        }
        // The compiler's word for it, where it is short.
        let _ = (u64::from(1_u32), f32::from(1_u8), f64::from(1_u32), i32::from(1_u16), u8::from(true));
    }

    #[test]
    fn what_there_is_none_for_is_not() {
        let unknown = [
            ("u64", "u32"),
            ("u64", "f64"),
            ("u32", "f32"),
            ("i8", "u16"),
            ("u32", "usize"),
            ("String", "u64"),
            ("Option<Order>", "Order"),
            ("u32", "u32"),
        ];
        for (from, to) in unknown {
            assert!(!is_known(from, to), "{from} -> {to}");
        }
    }
}
