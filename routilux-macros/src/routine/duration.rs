//! Durations as they are written in attributes: `"500ms"`, `"30s"`, `"2min"`, `"1h"`.

use routilux_graph::did_you_mean;

const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// In milliseconds, or what is wrong with it.
pub(crate) fn millis(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = (&text[..digits], text[digits..].trim());
    let units = || UNITS.map(|(unit, _)| format!("`{unit}`")).join(", ");
    let number: u64 = match number {
        "" => return Err("it does not begin with a number".to_owned()),
        _ => number.parse().map_err(|_| "the number is too large".to_owned())?,
    };
    if unit.is_empty() {
        return Err(format!("it has no unit; the units are {}", units()));
    }
    let Some((_, factor)) = UNITS.iter().find(|(known, _)| *known == unit) else {
        let near = match unit {
            "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => Some("ms"),
            "m" | "mins" | "minutes" | "minute" => Some("min"),
            "sec" | "secs" | "seconds" | "second" => Some("s"),
            "hr" | "hrs" | "hour" | "hours" => Some("h"),
            "day" | "days" => Some("d"),
            _ => did_you_mean(unit, UNITS.map(|(unit, _)| unit)),
        };
        return Err(match near {
            Some(near) => format!("there is no unit `{unit}`; did you mean `{near}`?"),
            None => format!("there is no unit `{unit}`; the units are {}", units()),
        });
    };
    match number.checked_mul(*factor) {
        Some(0) => Err("it is no time at all".to_owned()),
        // As many milliseconds as a clock can be moved on by.
        Some(millis) if millis < 1 << 40 => Ok(millis),
        _ => Err("it is longer than thirty years".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn a_number_and_a_unit() {
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("30s"), Ok(30_000));
        assert_eq!(millis("2 min"), Ok(120_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        for wrong in ["", "s", "30", "0s", "3 lightyears", "99999999999999999999s", "9999999999d", "-1s"] {
            assert!(millis(wrong).is_err(), "{wrong}");
        }
        for (unit, meant) in [
            ("m", "min"),
            ("minutes", "min"),
            ("msec", "ms"),
            ("millis", "ms"),
            ("sec", "s"),
            ("hours", "h"),
            ("days", "d"),
        ] {
            let error = millis(&format!("2{unit}")).unwrap_err();
            assert!(error.ends_with(&format!("did you mean `{meant}`?")), "{error}");
        }
    }
}
