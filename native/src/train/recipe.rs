//! The recipe of a run: what was given, over the defaults; and in words.

use anyhow::{Result, bail};
use emberlab_core::train::{LossConfig, Schedule, TrainConfig};

use crate::cli::{CourseArgs, RecipeArgs};
use crate::files::embedded;

/// The recipe: what was given, over the defaults of the embedded model or of any other.
pub fn recipe(given: &RecipeArgs, model_is_embedded: bool) -> TrainConfig {
    let default = if model_is_embedded { embedded::recipe() } else { TrainConfig::default() };
    let CourseArgs { max_steps, warmup_steps, lr_end, power, .. } = given.course;
    let CourseArgs { layerwise_lr_decay, r_drop_alpha, .. } = given.course;
    TrainConfig {
        epochs: given.epochs.unwrap_or(default.epochs),
        max_steps: max_steps.or(default.max_steps),
        batch_size: given.batch_size.unwrap_or(default.batch_size),
        learning_rate: given.learning_rate.unwrap_or(default.learning_rate),
        weight_decay: given.weight_decay.unwrap_or(default.weight_decay),
        warmup_ratio: given.warmup_ratio.unwrap_or(default.warmup_ratio),
        warmup_steps: warmup_steps.or(default.warmup_steps),
        schedule: given.schedule.unwrap_or(default.schedule),
        lr_end: lr_end.unwrap_or(default.lr_end),
        power: power.unwrap_or(default.power),
        layerwise_lr_decay: layerwise_lr_decay.unwrap_or(default.layerwise_lr_decay),
        max_grad_norm: given.max_grad_norm.unwrap_or(default.max_grad_norm),
        gradient_accumulation_steps: given
            .gradient_accumulation_steps
            .unwrap_or(default.gradient_accumulation_steps),
        seed: given.seed.unwrap_or(default.seed),
        trainable_layers: default.trainable_layers, // known with the model
        lora: given.lora.config(),
        loss: LossConfig {
            class_weights: None, // known with the data
            focal_gamma: given.focal_gamma.unwrap_or(default.loss.focal_gamma),
            label_smoothing_factor: given
                .label_smoothing_factor
                .unwrap_or(default.loss.label_smoothing_factor),
            r_drop_alpha: r_drop_alpha.unwrap_or(default.loss.r_drop_alpha),
        },
        bf16: given.course.bf16 || default.bf16,
    }
}

/// How many of a model's `layers` are trained; none where all are, and the embeddings.
///
/// # Errors
/// More are to be frozen than there are.
pub fn trainable_layers(given: &CourseArgs, layers: usize) -> Result<Option<usize>> {
    match given.freeze_layers {
        Some(frozen) if frozen > layers => {
            bail!("freeze_layers = {frozen}: the model has {layers} layers")
        }
        Some(frozen) => Ok(Some(layers - frozen)),
        None => Ok(given.freeze_embeddings.then_some(layers)),
    }
}

/// The recipe in one line.
pub fn recipe_line(recipe: &TrainConfig, max_length: usize) -> String {
    let TrainConfig { epochs, batch_size, learning_rate, weight_decay, .. } = recipe;
    let TrainConfig { max_grad_norm, gradient_accumulation_steps, seed, .. } = recipe;
    let batch = match gradient_accumulation_steps {
        1 => batch_size.to_string(),
        steps => format!("{batch_size} × {steps}"),
    };
    let length = match recipe.max_steps {
        Some(steps) => format!("{steps} steps"),
        None => format!("{epochs} epochs"),
    };
    format!(
        "{length}, batch {batch}, learning rate {learning_rate:e} ({}), \
         weight decay {weight_decay}, gradient norm {max_grad_norm}, max length {max_length}, seed {seed}{}{}",
        schedule_words(recipe),
        loss_words(&recipe.loss),
        what_is_trained(recipe)
    )
}

fn schedule_words(recipe: &TrainConfig) -> String {
    let mut words = recipe.schedule.name().replace('_', " ");
    if recipe.schedule == Schedule::Polynomial {
        words.push_str(&format!(" of power {} to {:e}", recipe.power, recipe.lr_end));
    }
    match recipe.warmup_steps {
        _ if !recipe.schedule.warms_up() => {}
        Some(steps) => words.push_str(&format!(", warm-up {steps} steps")),
        None => words.push_str(&format!(", warm-up {}", recipe.warmup_ratio)),
    }
    if recipe.layerwise_lr_decay < 1.0 {
        words.push_str(&format!(", layer-wise decay {}", recipe.layerwise_lr_decay));
    }
    words
}

/// What is unusual about the loss.
fn loss_words(loss: &LossConfig) -> String {
    let LossConfig { class_weights, focal_gamma, label_smoothing_factor, r_drop_alpha } = loss;
    let mut words = String::new();
    if let Some(weights) = class_weights {
        let weights: Vec<String> = weights.iter().map(|weight| format!("{weight:.2}")).collect();
        words.push_str(&format!(", class weights {}", weights.join(" ")));
    }
    for (name, value) in [
        ("focal γ", focal_gamma),
        ("label smoothing", label_smoothing_factor),
        ("R-Drop α", r_drop_alpha),
    ] {
        if *value > 0.0 {
            words.push_str(&format!(", {name} {value}"));
        }
    }
    words
}

fn what_is_trained(recipe: &TrainConfig) -> String {
    let layers = recipe.trainable_layers.map(|layers| format!(", training {layers} layers"));
    let lora = recipe.lora.as_ref().map(|lora| {
        format!(", LoRA r {} α {} dropout {}", lora.r, lora.lora_alpha, lora.lora_dropout)
    });
    let bf16 = recipe.bf16.then(|| ", bf16".to_owned());
    layers.into_iter().chain(lora).chain(bf16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_settings_win_over_the_defaults() {
        let given = RecipeArgs { epochs: Some(7), ..RecipeArgs::default() };
        assert_eq!(recipe(&given, true).epochs, 7);
        assert_eq!(recipe(&given, true).batch_size, embedded::recipe().batch_size);
        assert_eq!(recipe(&given, false).batch_size, TrainConfig::default().batch_size);
    }

    #[test]
    fn what_is_frozen_is_not_trained() {
        let given = |freeze_embeddings, freeze_layers| {
            let given = CourseArgs { freeze_embeddings, freeze_layers, ..CourseArgs::default() };
            trainable_layers(&given, 6)
        };
        assert_eq!(given(false, None).unwrap(), None);
        assert_eq!(given(true, None).unwrap(), Some(6));
        assert_eq!(given(false, Some(4)).unwrap(), Some(2));
        assert!(given(true, Some(7)).unwrap_err().to_string().contains("has 6 layers"));
    }
}
