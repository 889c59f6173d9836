//! The schema at the head of a footer (parquet.thrift, in Thrift's compact protocol), gone through before the `parquet`
//! crate (60.1) reads it: that goes down by recursion, and has room first for as many children as a group claims.

use parquet::errors::{ParquetError, Result};

use super::varint;

/// Levels that columns may be nested.
const DEEPEST: usize = 100;
/// The levels of all elements together: of columns that are maps, ten thousand take less.
const MOST_LEVELS: usize = 100_000;
/// Structs and lists that may stand in one another within an element.
const DEEPEST_STRUCTS: usize = 32;

/// Types of the compact protocol.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

/// Field 1 is `version`, and field 2 the list of elements.
const FIRST_IS_I32: u8 = 1 << 4 | I32;
const NEXT_IS_LIST: u8 = 1 << 4 | LIST;
const NUM_CHILDREN: [i16; 1] = [5];

/// Refuses a schema that takes more than its bytes to read.
pub fn check(footer: &[u8]) -> Result<()> {
    let bad = |what: &str| Err(ParquetError::General(what.into()));
    match levels(footer) {
        None => bad("its schema does not hold together"),
        Some((deepest, _)) if deepest > DEEPEST => bad("columns that are nested without end"),
        Some((_, all)) if all > MOST_LEVELS => bad("columns without end"),
        Some(_) => Ok(()),
    }
}

/// How deep the elements are at most, and together, up to where that is too much; none where they are no tree.
fn levels(footer: &[u8]) -> Option<(usize, usize)> {
    let mut thrift = Thrift { rest: footer, path: Vec::new(), children: 0 };
    thrift.expect(FIRST_IS_I32)?;
    thrift.number()?;
    thrift.expect(NEXT_IS_LIST)?;
    let (kind, elements) = thrift.list()?;
    let (mut deepest, mut all) = (0, 0);
    // Of each group that is open, the children to come; the root is one of none.
    let mut open = vec![1];
    let mut to_come = 1;
    for element in 0..elements {
        while open.last() == Some(&0) {
            open.pop();
        }
        *open.last_mut()? -= 1;
        deepest = deepest.max(open.len());
        all += open.len();
        if deepest > DEEPEST || all > MOST_LEVELS {
            break;
        }
        let children = thrift.element().filter(|_| kind == STRUCT)?;
        to_come = (to_come - 1u64).checked_add(children)?;
        if to_come > elements - element - 1 {
            return None;
        }
        open.push(children);
    }
    Some((deepest, all))
}

struct Thrift<'a> {
    rest: &'a [u8],
    /// The ids of the fields that lead here from an element.
    path: Vec<i16>,
    /// What an element says of `num_children`.
    children: u64,
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.rest.split_off_first().copied()
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.byte().filter(|&found| found == byte).map(|_| ())
    }

    fn number(&mut self) -> Option<u64> {
        varint(&mut self.rest)
    }

    /// The type and number of the items of a list.
    fn list(&mut self) -> Option<(u8, u64)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.number()?,
            few => few.into(),
        };
        Some((header & 15, count))
    }

    /// The number of children of an element.
    fn element(&mut self) -> Option<u64> {
        self.children = 0;
        self.path.clear();
        self.fields()?;
        Some(self.children)
    }

    /// The fields of a struct, up to its end.
    fn fields(&mut self) -> Option<()> {
        let mut id = 0i16;
        loop {
            let header = self.byte()?;
            let kind = header & 15;
            if kind == STOP {
                return Some(());
            }
            id = match header >> 4 {
                0 => i16::try_from(signed(self.number()?)).ok()?,
                further => id.checked_add(further.into())?,
            };
            self.below(id, kind)?;
        }
    }

    fn below(&mut self, id: i16, kind: u8) -> Option<()> {
        self.path.push(id);
        if self.path.len() > DEEPEST_STRUCTS || taken_for(&self.path).is_some_and(|it| it != kind) {
            return None;
        }
        self.value(kind)?;
        self.path.pop();
        Some(())
    }

    fn value(&mut self, kind: u8) -> Option<()> {
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.skip(1),
            I16 | I32 | I64 => {
                let number = signed(self.number()?);
                if self.path == NUM_CHILDREN {
                    self.children = number.try_into().ok()?;
                }
                Some(())
            }
            DOUBLE => self.skip(8),
            BINARY => {
                let length = self.number()?;
                self.skip(length)
            }
            // Of Booleans an item takes a byte or, to the crate, none.
            LIST | SET => match self.list()? {
                (TRUE | FALSE, 1..) => None,
                (kind, items) => (0..items).try_for_each(|_| self.below(0, kind)),
            },
            STRUCT => self.fields(),
            _ => None,
        }
    }
}

fn signed(zigzag: u64) -> i64 {
    (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
}

/// What the crate takes a field of an element for, whatever type it claims: `SchemaElement`, and below its field 10 the
/// structs of `LogicalType`. Booleans it looks at.
fn taken_for(path: &[i16]) -> Option<u8> {
    match path {
        [4] | [10, 17 | 18, 1] => Some(BINARY),
        [1..=9] | [10, 5, 1 | 2] | [10, 18, 2] => Some(I32),
        [10] | [10, _] | [10, 7 | 8, 2] | [10, 7 | 8, 2, _] => Some(STRUCT),
        [10, 10 | 16, 1] => Some(BYTE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer whose elements are groups named `a` of so many children.
    fn footer(children: &[u64]) -> Vec<u8> {
        let number = |number: u64| {
            let mut bytes: Vec<u8> = (0..9).map(|at| (number >> (7 * at)) as u8 | 0x80).collect();
            bytes.push((number >> 63) as u8);
            bytes
        };
        let mut bytes = vec![FIRST_IS_I32, 2, NEXT_IS_LIST, 0xfc];
        bytes.extend(number(children.len() as u64));
        for &children in children {
            bytes.extend([0x48, 1, b'a', 0x15]);
            bytes.extend(number(2 * children));
            bytes.push(STOP);
        }
        bytes
    }

    fn says(children: &[u64]) -> String {
        check(&footer(children)).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn trees_are_told_from_what_has_no_end() {
        let chain = |length| Vec::from_iter((0..length).map(|at| u64::from(at + 1 < length)));
        for tree in [&[0][..], &[2, 1, 0, 0], &chain(DEEPEST)] {
            assert_eq!(says(tree), "", "{tree:?}");
        }
        assert!(says(&chain(100_000)).ends_with("columns that are nested without end"));
        let mut wide = vec![0; 60_000];
        wide[0] = 59_999;
        assert!(says(&wide).ends_with("columns without end"));
        for no in [&[i32::MAX as u64][..], &[1 << 32], &[u64::MAX >> 1], &[1], &[0, 0], &[2, 2, 0]]
        {
            assert!(says(no).ends_with("does not hold together"), "{no:?}");
        }
    }

    #[test]
    fn a_schema_that_is_cut_off_or_lies_about_its_types_is_refused() {
        let whole = footer(&[1, 0]);
        assert!((0..whole.len()).all(|length| check(&whole[..length]).is_err()));
        // A logical type, as pyarrow and polars write them: a string; a timestamp in microseconds; a geometry.
        let of =
            |logical: &[u8]| [&[FIRST_IS_I32, 2, NEXT_IS_LIST, 0x1c, 0xac], logical, &[0]].concat();
        for good in [&[0x1c, 0, 0][..], &[0x8c, 0x11, 0x1c, 0x2c, 0, 0, 0, 0], &[0x0c, 34, 0, 0]] {
            assert!(check(&of(good)).is_ok(), "{good:?}");
        }
        for bad in [&[0x15, 0, 0][..], &[0x8c, 0x11, 0x12, 0, 0], &[0x1c, 0x19, 0xf1, 0x7f, 0, 0]] {
            assert!(check(&of(bad)).is_err(), "{bad:?}");
        }
        let deep = [0x1c; 1000];
        assert!(check(&of(&deep)).is_err());
    }
}
