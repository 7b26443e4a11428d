//! "Did you mean": the known name nearest to a misspelt one.

use std::collections::HashSet;

/// The candidate that is nearest to `name`, if one is near enough to be a likely misspelling:
/// at most a third of its characters inserted, deleted, replaced or swapped with a neighbour, and
/// a letter of the other case counts as none. After those, a candidate that begins with it, or that it begins with.
///
/// ```
/// use routilux_graph::did_you_mean;
///
/// assert_eq!(did_you_mean("wrod", ["line", "word"]), Some("word"));
/// assert_eq!(did_you_mean("lower", ["line", "lowercase"]), Some("lowercase"));
/// assert_eq!(did_you_mean("price", ["line", "word"]), None);
/// ```
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| {
            let known: Vec<char> = candidate.to_lowercase().chars().collect();
            let distance = distance(&wanted, &known);
            let allowed = (wanted.len().max(known.len()) / 3).max(1);
            // A single letter is near to every other: only another case of it is likely meant.
            let likely = distance == 0 || (distance <= allowed && wanted.len().max(known.len()) > 1);
            let shortened = wanted.len().min(known.len()) >= 3
                && (known.starts_with(&wanted) || wanted.starts_with(&known));
            (likely || shortened).then_some((!likely, distance, candidate))
        })
        .min_by_key(|(shortened, distance, _)| (*shortened, *distance))
        .map(|(_, _, candidate)| candidate)
}

/// The optimal string alignment distance: like Levenshtein's, with a swap of neighbours as one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// The help for a name that there is not: what was probably meant, and all that there are.
///
/// ```
/// use routilux_graph::choices;
///
/// let help = choices(Some("word"), "its events", ["line", "word"].into_iter());
/// assert_eq!(help, "did you mean `word`? Its events are: `line`, `word`");
/// assert_eq!(choices(None, "its events", [].into_iter()), "its events: there are none");
/// ```
pub fn choices<'a>(near: Option<&str>, what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let list = match names.len() {
        0 => format!("{what}: there are none"),
        _ => format!("{what} are: {}", names.join(", ")),
    };
    match near {
        Some(near) => format!("did you mean `{near}`? {}", capitalised(&list)),
        None => list,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_neighbours_is_one_mistake() {
        assert_eq!(distance(&['a', 'b', 'c'], &['b', 'a', 'c']), 1);
        assert_eq!(distance(&['a', 'b'], &[]), 2);
        assert_eq!(distance(&[], &['a']), 1);
    }

    #[test]
    fn the_nearest_wins_and_the_far_is_not_named() {
        assert_eq!(did_you_mean("toal", ["totals", "total", "tail"]), Some("total"));
        assert_eq!(did_you_mean("x", ["y", "z"]), None);
        assert_eq!(did_you_mean("Word", ["word"]), Some("word"));
        assert_eq!(did_you_mean("", []), None);
    }
}
