//! What a classifier is put away as.

use super::Classifier;
use crate::{
    Result,
    model::{ModelFiles, StorageDtype, lora, readback, storage},
};

impl Classifier {
    /// The files of a Hugging Face folder that transformers opens unchanged, by name; of adapters those
    /// of a folder that peft opens, to which `config.json` adds the names of the labels.
    ///
    /// # Errors
    /// [`crate::Error::Device`] when the weights cannot be read back.
    pub async fn to_files(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = self.files_beside_weights(dtype)?;
        files.push(match self.setup.lora {
            Some(_) => (ModelFiles::ADAPTER.into(), lora::write(&self.model, dtype).await?),
            None => {
                let weights = readback::weights(&self.model).await?;
                (ModelFiles::WEIGHTS.into(), storage::encode(&weights, dtype)?)
            }
        });
        Ok(files)
    }

    /// The same but for the weights, which are stored as `dtype`.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] where the tokenizer cannot be written.
    pub fn files_beside_weights(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let about = &self.setup.about;
        let config = about.config.to_json(&about.head, dtype.name(), self.temperature());
        self.files_with_config(config)
    }

    /// The files beside the weights, with this `config.json`.
    pub(in crate::model) fn files_with_config(
        &self,
        config: Vec<u8>,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let about = &self.setup.about;
        let mut files = vec![
            ("config.json".into(), config),
            ("tokenizer.json".into(), about.tokenizer.to_json()?),
            ("tokenizer_config.json".into(), about.tokenizer_config.clone()),
        ];
        if let Some(lora) = &self.setup.lora {
            let config = lora.to_json(about.config.family, about.head.task, &about.name);
            files.push((ModelFiles::ADAPTER_CONFIG.into(), config));
        }
        Ok(files)
    }
}
