//! The first few of a ranking, without a sorting algorithm's worth of code.

/// The `count` items of the highest value, the highest first; of equals, the first.
pub fn most<T>(mut items: Vec<T>, count: usize, value: impl Fn(&T) -> f32) -> Vec<T> {
    let mut found = Vec::new();
    while found.len() < count && !items.is_empty() {
        let better = |best: usize, next: usize| {
            if value(&items[next]) > value(&items[best]) { next } else { best }
        };
        let best = (0..items.len()).reduce(better).unwrap_or(0);
        found.push(items.remove(best));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::most;

    #[test]
    fn the_highest_come_first() {
        assert_eq!(most(vec![1.0, 3.0, 2.0, 3.5], 3, |&it| it), [3.5, 3.0, 2.0]);
        assert_eq!(most(vec![('a', 1.0), ('b', 1.0)], 5, |it| it.1)[0].0, 'a');
    }
}
