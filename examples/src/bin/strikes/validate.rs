//! The third stage: from fields to a strike, or to the reason why it is none.

use crate::read::shortened;
use crate::report::{Part, Totals};
use crate::row::{Fields, Rejected, Strike};
use jiff::civil::Date;
use routilux::prelude::*;

/// Checks dates and costs, and keeps the books: every row of the file comes here, the malformed ones too, and is
/// either accepted or rejected.
#[routine]
pub(crate) struct Validator {
    #[state]
    totals: Totals,
}

#[routine]
impl Validator {
    /// A row that is right.
    #[event]
    fn accepted(strike: Strike);
    /// A row that is wrong.
    #[event]
    fn rejected(row: Rejected);
    /// What all rows came to.
    #[event]
    fn totals(part: Part);
    /// There is no further row.
    #[event]
    fn end();

    /// Takes a row of the right number of fields.
    #[slot]
    fn row(&mut self, fields: Fields, out: &mut Emit<Self>) {
        match strike(&fields) {
            Ok(strike) => {
                self.totals.accepted += 1;
                self.totals.cost += u128::from(strike.cost);
                out.accepted(strike);
            }
            Err(reason) => {
                self.totals.rejected += 1;
                out.rejected(Rejected { line: fields.line, reason });
            }
        }
    }

    /// Takes a row that was wrong before: here rather than at the flow's output, so that it is counted, and the
    /// rejected rows stay in the order of the file.
    #[slot]
    fn malformed(&mut self, row: Rejected, out: &mut Emit<Self>) {
        self.totals.rejected += 1;
        out.rejected(row);
    }

    /// Follows the last row.
    #[slot]
    fn last(&self, out: &mut Emit<Self>) {
        out.totals(Part::Totals(self.totals));
        out.end();
    }
}

fn strike(fields: &Fields) -> Result<Strike, String> {
    let date = date(&fields.date).ok_or_else(|| {
        format!("`Flight Date` is {:?}, which is no date of the form YYYY-MM-DD", shortened(&fields.date))
    })?;
    dollars("Cost Other", &fields.cost_other)?;
    dollars("Cost Repair", &fields.cost_repair)?;
    let cost = dollars("Cost Total $", &fields.cost_total)?;
    let (operator, species) = (fields.operator.clone(), fields.species.clone());
    Ok(Strike { operator, species, month: date.month().unsigned_abs(), cost })
}

/// A day there was, written as `YYYY-MM-DD`. jiff reads many more forms than that.
fn date(text: &str) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number: i16, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0'))
        })
    };
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    Date::new(number(&[y1, y2, y3, y4])?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// A whole number of dollars: digits and nothing else.
fn dollars(column: &str, text: &str) -> Result<u64, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(dollars) if is_number => Ok(dollars),
        _ => {
            let why = if is_number { "is more than can be counted" } else { "is no whole number of dollars" };
            Err(format!("`{column}` is {:?}, which {why}", shortened(text)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_there_was() {
        assert_eq!(date("2000-02-29"), Some(jiff::civil::date(2000, 2, 29)));
        for wrong in
            ["1999-02-29", "1999-13-01", "1999-00-01", "1999-01-00", "99-01-01", "1999-1-1", "1999/01/01"]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        for wrong in ["", "-999-01-01", "1999-01-01T00", " 1999-01-01", "19990101", "1999-01-0x", "１999-1-1"]
        {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dollars_are_digits() {
        assert_eq!(dollars("c", "0"), Ok(0));
        assert_eq!(dollars("c", "18446744073709551615"), Ok(u64::MAX));
        for wrong in ["", "-1", "+1", "1.5", "1e3", " 1", "1 ", "$1", "1,0", "x", "٣", "18446744073709551616"]
        {
            assert!(dollars("c", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_row_is_accepted_or_rejected() {
        let right = Fields {
            line: 2,
            date: "1990-01-08".into(),
            operator: "MILITARY".into(),
            species: "Gull".into(),
            cost_other: "1".into(),
            cost_repair: "2".into(),
            cost_total: "3".into(),
        };
        let mut validator = Validator { totals: Totals::default() };
        let mut out = Emit::<Validator>::default();
        validator.row(right.clone(), &mut out);
        validator.row(Fields { cost_repair: "some".into(), ..right.clone() }, &mut out);
        validator.row(Fields { date: "1990-02-30".into(), ..right }, &mut out);
        validator.malformed(Rejected { line: 3, reason: "too short".into() }, &mut out);
        assert_eq!(out.emitted().events(), ["accepted", "rejected", "rejected", "rejected"]);
        assert_eq!(validator.totals, Totals { accepted: 1, rejected: 3, cost: 3 });
    }
}
