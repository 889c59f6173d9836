//! Lengths of texts in deltas (`DELTA_LENGTH_BYTE_ARRAY`, `DELTA_BYTE_ARRAY`): for as many as a page claims the `parquet`
//! crate (60.1) has room before it reads the first of them.

use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescriptor;

use super::longest::prefixed;
use super::varint;

/// Values of a page; writers begin a new one after some thousands.
const MOST: u64 = 8 << 20;

/// Refuses a page that claims too many lengths. What cannot be read is the crate's to refuse.
pub fn check(page: &Page, column: &ColumnDescriptor) -> Result<()> {
    let lists = match page.encoding() {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        // Those of what a text has in common with the one before, then those of the rest.
        Encoding::DELTA_BYTE_ARRAY => 2,
        _ => return Ok(()),
    };
    match values(page, column).and_then(|values| most(values, lists)) {
        Some(count) if count > MOST => {
            Err(ParquetError::General(format!("a page of {count} lengths")))
        }
        _ => Ok(()),
    }
}

/// The bytes of a page behind its levels.
fn values<'a>(page: &'a Page, column: &ColumnDescriptor) -> Option<&'a [u8]> {
    match page {
        Page::DataPage { buf, num_values, rep_level_encoding, def_level_encoding, .. } => {
            let levels = [
                (column.max_rep_level(), rep_level_encoding),
                (column.max_def_level(), def_level_encoding),
            ];
            let mut rest = &buf[..];
            for (level, encoding) in levels.into_iter().filter(|(level, _)| *level > 0) {
                let bits = (i16::BITS - level.leading_zeros()) as usize;
                let length = match encoding {
                    Encoding::RLE => 4 + prefixed(rest)?.len(),
                    // Packed, they have no length before them.
                    _ => (*num_values as usize * bits).div_ceil(8),
                };
                rest = rest.get(length..)?;
            }
            Some(rest)
        }
        Page::DataPageV2 { buf, rep_levels_byte_len, def_levels_byte_len, .. } => {
            buf.get((*rep_levels_byte_len as usize).checked_add(*def_levels_byte_len as usize)?..)
        }
        Page::DictionaryPage { .. } => None,
    }
}

/// The largest count that stands before one of these lists (`DELTA_BINARY_PACKED` of the format's Encodings.md).
fn most(mut bytes: &[u8], lists: usize) -> Option<u64> {
    let mut most = 0;
    for _ in 0..lists {
        let (block, miniblocks) = (varint(&mut bytes)?, varint(&mut bytes)?);
        let count = varint(&mut bytes)?;
        most = most.max(count);
        if count > MOST {
            break;
        }
        let _first = varint(&mut bytes)?;
        let values = block.checked_div(miniblocks).filter(|&values| values > 0)?;
        let mut left = count.saturating_sub(1);
        while left > 0 {
            let _least = varint(&mut bytes)?;
            let (widths, rest) = bytes.split_at_checked(usize::try_from(miniblocks).ok()?)?;
            bytes = rest;
            for &width in widths {
                // The widths of what is not there say nothing.
                if left == 0 {
                    break;
                }
                bytes = bytes.get((u64::from(width).checked_mul(values)? / 8) as usize..)?;
                left = left.saturating_sub(values);
            }
        }
    }
    Some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_before_both_lists() {
        // Blocks of 128 values, 4 miniblocks, a first value of 2; three deltas of 0 bits, or a byte each.
        let list = |width: u8| {
            let mut list = vec![0x80, 1, 4, 4, 4, 0, width, 9, 9, 9];
            list.extend(vec![0; 4 * usize::from(width)]);
            list
        };
        let claim = [0x80, 1, 4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        for width in [0, 8] {
            assert_eq!(most(&[list(width), list(width)].concat(), 2), Some(4));
            assert_eq!(most(&[list(width), claim.to_vec()].concat(), 2), Some(u32::MAX.into()));
        }
        assert_eq!(most(&claim, 1), Some(u32::MAX.into()));
    }
}
