//! Texts on their way to the tokenizer.

/// Texts in order: each by itself, or each with the other half of a pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    pub first: Vec<String>,
    /// As long as `first`, or empty where there are no pairs.
    pub second: Vec<String>,
    /// The words of each text, where it is given word by word; else empty.
    pub words: Vec<Vec<String>>,
}

impl Texts {
    /// Adds a text. All have another half, or none has.
    pub fn push(&mut self, first: &str, second: Option<&str>) {
        self.first.push(first.to_owned());
        self.second.extend(second.map(str::to_owned));
        debug_assert!(self.second.is_empty() || self.second.len() == self.first.len());
    }

    /// Adds a text word by word. All are given so, or none is.
    pub fn push_words(&mut self, words: Vec<String>) {
        self.first.push(words.join(" "));
        self.words.push(words);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The other half of a pair.
    pub fn second(&self, index: usize) -> Option<&str> {
        self.second.get(index).map(String::as_str)
    }
}

impl From<Vec<String>> for Texts {
    fn from(first: Vec<String>) -> Self {
        Self { first, ..Self::default() }
    }
}
