//! Just enough of a command line: flags, values and positional words, taken one by one.

use anyhow::{Context, Result, bail};

pub struct Arguments(Vec<String>);

impl Arguments {
    pub fn new(words: impl Iterator<Item = String>) -> Self {
        Self(words.collect())
    }

    /// Takes `--name` if it is there.
    pub fn flag(&mut self, name: &str) -> bool {
        let found = self.position(name);
        found.map(|index| self.0.remove(index)).is_some()
    }

    /// Takes `--name VALUE` if it is there.
    pub fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(index) = self.position(name) else {
            return Ok(None);
        };
        self.0.remove(index);
        if index == self.0.len() {
            bail!("{name} needs a value");
        }
        Ok(Some(self.0.remove(index)))
    }

    /// Takes `--name N` if it is there.
    pub fn number(&mut self, name: &str) -> Result<Option<u16>> {
        self.value(name)?
            .map(|text| {
                text.parse()
                    .with_context(|| format!("{name} takes a number up to 65535, not `{text}`"))
            })
            .transpose()
    }

    /// Takes the first word that is not an option.
    pub fn positional(&mut self) -> Option<String> {
        let index = self.0.iter().position(|word| !word.starts_with('-'))?;
        Some(self.0.remove(index))
    }

    /// Fails when anything is left.
    pub fn finish(self) -> Result<()> {
        match self.0.first() {
            Some(word) => bail!("`{word}` is not understood here"),
            None => Ok(()),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|word| word == name)
    }
}
