//! Which rows of which splits: the grammar of `load_dataset(split=…)`, with its rounding.
//!
//! `train`, `train+test`, `train[:5000]`, `train[-100:]`, `train[10%:20%]`,
//! `train[:10%]+train[-80%:]`, `train[:33%](pct1_dropremainder)`, `all`. Source: `ReadInstruction` of
//! the Python library `datasets`.

use std::ops::Range;

use crate::{Error, Result};

/// One or more slices, read one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadInstruction {
    /// As it was given, for messages.
    expression: String,
    /// Empty for `all`: every split in order.
    slices: Vec<Slice>,
}

/// `split[from:to]`; a bound that is left out is the split's beginning or end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    split: String,
    from: Option<i64>,
    to: Option<i64>,
    unit: Unit,
}

/// What bounds count: rows, or hundredths of the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Rows,
    /// Rounded to the closest row; half goes to the even one, as Python rounds.
    Percent,
    /// Multiples of a whole hundredth (`pct1_dropremainder`).
    WholePercent,
}

/// Rows of a split, as an instruction selects them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    pub split: String,
    pub rows: Range<usize>,
    /// A bound lay outside the split and was moved to its end.
    pub clamped: bool,
}

impl ReadInstruction {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`Error::BadSplit`] where `load_dataset` refuses it.
    pub fn parse(expression: &str) -> Result<Self> {
        let bad = |reason: String| Error::BadSplit { expression: expression.into(), reason };
        if expression.trim() != expression {
            return Err(bad("begins or ends with white space".into()));
        }
        let slices: Vec<Slice> = match expression {
            "all" => Vec::new(),
            _ => {
                let terms = expression.split('+').map(|term| Slice::parse(term.trim()));
                terms.collect::<Result<_, String>>().map_err(bad)?
            }
        };
        let of_percents = |unit: &Unit| *unit != Unit::Rows;
        let units: Vec<Unit> = slices.iter().map(|slice| slice.unit).filter(of_percents).collect();
        if units.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(bad("parts of different rounding cannot be added".into()));
        }
        Ok(Self { expression: expression.into(), slices })
    }

    /// The whole of one split.
    pub fn split(name: &str) -> Self {
        let slice = Slice { split: name.into(), from: None, to: None, unit: Unit::Rows };
        Self { expression: name.into(), slices: vec![slice] }
    }

    /// The splits it reads, in its order, each once; `known` are all there are.
    pub fn splits<'a>(&'a self, known: &[&'a str]) -> Vec<&'a str> {
        let mut splits: Vec<&str> = Vec::new();
        let named = self.slices.iter().map(|slice| slice.split.as_str());
        let all = known.iter().copied().filter(|_| self.slices.is_empty());
        for split in named.chain(all) {
            if !splits.contains(&split) {
                splits.push(split);
            }
        }
        splits
    }

    /// The rows it selects from splits of these names and sizes, in its order.
    ///
    /// # Errors
    /// [`Error::BadSplit`] for a split that is not there, or if no row is selected.
    pub fn select(&self, sizes: &[(&str, usize)]) -> Result<Vec<Selection>> {
        let bad = |reason: String| Error::BadSplit { expression: self.expression.clone(), reason };
        if self.slices.is_empty() {
            let whole = |&(split, rows): &(&str, usize)| Selection {
                split: split.into(),
                rows: 0..rows,
                clamped: false,
            };
            return Ok(sizes.iter().map(whole).collect());
        }
        let mut selections = Vec::new();
        for slice in &self.slices {
            let size = sizes.iter().find(|(name, _)| *name == slice.split);
            let Some((_, rows)) = size else {
                let known: Vec<&str> = sizes.iter().map(|(name, _)| *name).collect();
                return Err(bad(format!(
                    "no split \"{}\"; there is: {}",
                    slice.split,
                    known.join(", ")
                )));
            };
            selections.push(slice.select(*rows).map_err(bad)?);
        }
        if selections.iter().all(|selection| selection.rows.is_empty()) {
            let sizes: Vec<String> =
                sizes.iter().map(|(name, rows)| format!("{name} has {rows}")).collect();
            return Err(bad(format!("selects no row ({})", sizes.join(", "))));
        }
        Ok(selections)
    }
}

impl Slice {
    /// `split`, `split[from:to]`, `split[from%:to%]` or that with `(rounding)`.
    fn parse(term: &str) -> Result<Self, String> {
        let name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let (split, rest) = term.split_at(term.find(|c| !name(c)).unwrap_or(term.len()));
        if split.is_empty() || split.split('.').any(str::is_empty) {
            return Err(format!("\"{term}\" does not begin with the name of a split"));
        }
        let shape = || {
            format!(
                "\"{term}\" is not of the form split[from:to], with whole numbers or percentages"
            )
        };
        let (rest, rounding) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
            Some((rest, rounding)) => (rest, Some(rounding)),
            None => (rest, None),
        };
        let bounds = match rest {
            "" => ":",
            _ => {
                rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(shape)?
            }
        };
        let (from, to) = bounds.split_once(':').ok_or_else(shape)?;
        let percent = from.ends_with('%') || to.ends_with('%');
        let bound = |text: &str| match text.strip_suffix('%').unwrap_or(text) {
            "" if text.is_empty() => Ok(None),
            digits => integer(digits).map(Some).ok_or_else(shape),
        };
        let (from, to) = (bound(from)?, bound(to)?);
        let unit = match (percent, rounding) {
            (false, None) => Unit::Rows,
            (false, Some(_)) => return Err("a rounding is for percentages only".into()),
            (true, None | Some("closest")) => Unit::Percent,
            (true, Some("pct1_dropremainder")) => Unit::WholePercent,
            (true, Some(_)) => return Err("the rounding is closest or pct1_dropremainder".into()),
        };
        if percent && [from, to].into_iter().flatten().any(|bound| bound.abs() > 100) {
            return Err("a percentage lies beyond 100%".into());
        }
        Ok(Self { split: split.into(), from, to, unit })
    }

    /// The rows of a split of `size` rows.
    fn select(&self, size: usize) -> Result<Selection, String> {
        if self.unit == Unit::WholePercent && size < 100 {
            return Err(format!(
                "pct1_dropremainder needs 100 rows or more; {} has {size}",
                self.split
            ));
        }
        let in_rows = |bound: i64| match self.unit {
            Unit::Rows => bound,
            Unit::Percent => (bound as f64 * size as f64 / 100.0).round_ties_even() as i64,
            Unit::WholePercent => bound * (size / 100) as i64,
        };
        let size = size as i64;
        let mut clamped = false;
        let mut place = |bound: Option<i64>, default: i64| {
            let at = bound.map_or(default, in_rows);
            let at = if at < 0 { size.saturating_add(at) } else { at };
            clamped |= !(0..=size).contains(&at);
            at.clamp(0, size) as usize
        };
        let (from, to) = (place(self.from, 0), place(self.to, size));
        Ok(Selection { split: self.split.clone(), rows: from..to.max(from), clamped })
    }
}

/// A whole number as Python's `int` reads it: `_` may stand between two digits.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let parts: Vec<&str> = digits.split('_').collect();
    let proper = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(proper) {
        return None;
    }
    // What is too long for i64 lies beyond any data set.
    let number = parts.concat().parse().unwrap_or(i64::MAX);
    Some(if text.starts_with('-') { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(expression: &str) -> Vec<(String, Range<usize>, bool)> {
        let sizes = [("train", 999), ("test", 250)];
        let selected = ReadInstruction::parse(expression).unwrap().select(&sizes).unwrap();
        selected.into_iter().map(|s| (s.split, s.rows, s.clamped)).collect()
    }

    // Which rows an expression selects is held to `datasets` in `tests/src/data/`.

    #[test]
    fn clamped_bounds_are_known() {
        assert_eq!(select("train[990:2000]"), [("train".into(), 990..999, true)]);
        assert_eq!(select("train[-5000:10]"), [("train".into(), 0..10, true)]);
        assert_eq!(select("train[-999:999]"), [("train".into(), 0..999, false)]);
        assert_eq!(select("train[:99999999999999999999]"), [("train".into(), 0..999, true)]);
    }

    #[test]
    fn errors_name_expression_and_remedy() {
        let error = ReadInstruction::parse("train[5]").unwrap_err().to_string();
        assert!(error.starts_with("split \"train[5]\": "), "{error}");
        let error = ReadInstruction::parse("dev").unwrap().select(&[("train", 1)]).unwrap_err();
        assert_eq!(error.to_string(), "split \"dev\": no split \"dev\"; there is: train");
    }

    #[test]
    fn splits_in_order_each_once() {
        let splits = |expression| {
            let instruction = ReadInstruction::parse(expression).unwrap();
            instruction.splits(&["train", "test"]).join(" ")
        };
        assert_eq!(splits("test[:1]+train+test[2:]"), "test train");
        assert_eq!(splits("all"), "train test");
    }
}
