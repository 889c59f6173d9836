//! All there is to say about one text.

use serde::Serialize;

use super::Attribution;
use crate::{
    Result,
    model::{Classifier, Prediction},
    text::{Tokenized, WordTokens},
};

/// A text or a pair of texts: its tokens, what the model says of it, and what each token adds to one
/// class.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub tokens: Tokenized,
    pub words: Vec<WordTokens>,
    pub prediction: Prediction,
    pub attribution: Attribution,
    /// See [`Attribution::completeness_error`].
    pub completeness_error: f32,
}

impl Classifier {
    /// Explains the logit of the class `label`, or of the class that is predicted.
    ///
    /// # Errors
    /// Those of [`Classifier::attribute`] and of the tokenizer.
    pub async fn explain(
        &self,
        text: &str,
        pair: Option<&str>,
        label: Option<usize>,
        max_length: usize,
    ) -> Result<Explanation> {
        let tokens = self.tokenizer().explain(text, pair, max_length)?;
        let encoding = tokens.encoding();
        let predicted = self.predict(std::slice::from_ref(&encoding), 1, |_| {}).await?;
        let prediction = predicted.into_iter().next().unwrap_or_default();
        let special: Vec<bool> = tokens.special_tokens_mask.iter().map(|&mask| mask > 0).collect();
        let label = label.unwrap_or_else(|| prediction.label());
        let attribution = self.attribute(&encoding, &special, label).await?;
        let words = tokens.words([text, pair.unwrap_or_default()]);
        let completeness_error = attribution.completeness_error();
        Ok(Explanation { tokens, words, prediction, attribution, completeness_error })
    }
}
