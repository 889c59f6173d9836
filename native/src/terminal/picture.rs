//! The learning rate over a run, as a picture for a terminal.

use emberlab_core::train::TrainConfig;

use super::grouped;

const WIDTH: usize = 64;
const HEIGHT: usize = 6;
/// Parts of a line of text, lowest first.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column for each step, or for as many as share one; nothing of a single step.
pub fn schedule(recipe: &TrainConfig, total_steps: usize) -> String {
    let columns = WIDTH.min(total_steps);
    if columns < 2 {
        return String::new();
    }
    let step_at = |column: usize| column * (total_steps - 1) / (columns - 1);
    let rate = |column| recipe.learning_rate_at(step_at(column), total_steps);
    let rates: Vec<f64> = (0..columns).map(rate).collect();
    let peak = recipe.learning_rate;
    let parts = BLOCKS.len() - 1;
    let mut picture = String::new();
    for line in (0..HEIGHT).rev() {
        let block = |rate: &f64| {
            let filled = (rate / peak * (HEIGHT * parts) as f64).round() as usize;
            BLOCKS[filled.saturating_sub(line * parts).min(parts)]
        };
        let label = if line + 1 == HEIGHT { format!("{peak:.1e}") } else { String::new() };
        let drawn: String = rates.iter().map(block).collect();
        picture.push_str(&format!("{label:>8} │{}\n", drawn.trim_end()));
    }
    let last = grouped(total_steps);
    let room = columns.saturating_sub(1 + last.len());
    picture.push_str(&format!("{:>8} └{}\n", 0, "─".repeat(columns)));
    picture.push_str(&format!("{:>8}  1{:room$}{last} steps\n", "", ""));
    picture
}

#[cfg(test)]
mod tests {
    use emberlab_core::train::Schedule;

    use super::*;

    #[test]
    fn a_picture_rises_and_falls() {
        let recipe = TrainConfig {
            warmup_steps: Some(4),
            schedule: Schedule::Linear,
            learning_rate: 1e-3,
            ..TrainConfig::default()
        };
        let drawn = schedule(&recipe, 10);
        assert_eq!(drawn.lines().count(), 8, "{drawn}");
        let heights: Vec<usize> = (0..10)
            .map(|column| {
                let of_line = |line: &str| line.chars().nth(10 + column).unwrap_or(' ') != ' ';
                drawn.lines().take(HEIGHT).filter(|line| of_line(line)).count()
            })
            .collect();
        assert_eq!(heights, [0, 2, 3, 5, 6, 5, 4, 3, 2, 1], "{drawn}");
        assert!(drawn.contains("1.0e-3 │") && drawn.ends_with("10 steps\n"), "{drawn}");
    }
}
