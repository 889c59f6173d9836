//! Rows to train on and rows to measure on.

use rand::{SeedableRng, rngs::ChaCha8Rng};

use crate::text::shuffle;

/// Row numbers, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub held_out: Vec<usize>,
}

/// Holds out `share` of the rows of each class (`labels[row]`, below `classes`), drawn from `seed`.
///
/// A class keeps at least one row to train on, and gives one to measure on where it has two or
/// more: with small sets, a class that is never measured would be a blind spot. Rows with one and
/// the same text stay together, so that nothing measured was trained on.
pub fn hold_out(texts: &[String], labels: &[usize], share: f64, seed: u64) -> Split {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut classes = std::collections::BTreeMap::<usize, Vec<Vec<usize>>>::new();
    for (label, rows) in groups(texts, labels) {
        classes.entry(label).or_default().push(rows);
    }
    let mut split = Split { train: Vec::new(), held_out: Vec::new() };
    for mut groups in classes.into_values() {
        let rows: usize = groups.iter().map(Vec::len).sum();
        let wanted = ((rows as f64 * share).round() as usize).max(1);
        shuffle(&mut groups, &mut rng);
        let mut held = 0;
        let last = groups.len() - 1;
        for (index, group) in groups.into_iter().enumerate() {
            if index < last && held < wanted {
                held += group.len();
                split.held_out.extend(group);
            } else {
                split.train.extend(group);
            }
        }
    }
    split.train.sort_unstable();
    split.held_out.sort_unstable();
    split
}

/// The rows of each text, with the label of its first.
fn groups(texts: &[String], labels: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let mut places = std::collections::HashMap::<&str, usize>::new();
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    for (row, (text, &label)) in texts.iter().zip(labels).enumerate() {
        let place = *places.entry(text.trim()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((label, vec![row])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: usize) -> Vec<String> {
        (0..count).map(|row| format!("text {row}")).collect()
    }

    #[test]
    fn every_class_gives_its_share() {
        let labels: Vec<usize> = (0..100).map(|row| usize::from(row >= 80)).collect();
        let Split { train, held_out } = hold_out(&texts(100), &labels, 0.2, 1);
        assert_eq!((train.len(), held_out.len()), (80, 20));
        assert_eq!(held_out.iter().filter(|&&row| row >= 80).count(), 4);
        let mut all = [train, held_out.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(hold_out(&texts(100), &labels, 0.2, 1).held_out, held_out);
        assert_ne!(hold_out(&texts(100), &labels, 0.2, 2).held_out, held_out);
    }

    #[test]
    fn small_classes_are_measured_and_single_rows_are_trained_on() {
        let Split { train, held_out } = hold_out(&texts(5), &[0, 0, 1, 1, 2], 0.2, 1);
        assert_eq!((train.len(), held_out.len()), (3, 2));
        assert!(train.contains(&4));
    }

    #[test]
    fn a_text_is_never_on_both_sides() {
        let mut texts = texts(40);
        for row in 20..40 {
            texts[row] = texts[row - 20].clone() + " ";
        }
        let labels: Vec<usize> = (0..40).map(|row| row % 2).collect();
        let Split { train, held_out } = hold_out(&texts, &labels, 0.2, 7);
        for row in held_out {
            assert!(train.iter().all(|&other| texts[other].trim() != texts[row].trim()));
        }
    }
}
