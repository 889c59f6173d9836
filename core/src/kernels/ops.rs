//! The operations as the model and the optimizer call them.

#[cfg(feature = "kernels")]
use burn::backend::Dispatch;
use burn::tensor::{Tensor, module};

#[cfg(feature = "flex")]
use super::extension::CpuOps;
#[cfg(feature = "kernels")]
use super::extension::FusedOps;
use super::{AdamWStep, Attention, Dropout, Kernels, Moments, SparseRows, plain};
use crate::text::Layout;

impl Kernels {
    /// `x·weight + bias`: `[n, in]`, `[in, out]`, `[out]` → `[n, out]`.
    pub(crate) fn product(
        self,
        x: Tensor<2>,
        weight: Tensor<2>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<2> {
        match self {
            #[cfg(feature = "kernels")]
            Self::Own => {
                let bias =
                    bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[1]], &weight.device()));
                Tensor::from_dispatch(Dispatch::fused_linear(
                    x.into_dispatch(),
                    weight.into_dispatch(),
                    bias.into_dispatch(),
                ))
            }
            Self::Burn => module::linear(x, weight, bias),
        }
    }

    /// `x·(1 + erf(x/√2))/2` (Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>).
    pub(crate) fn gelu(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            #[cfg(feature = "kernels")]
            Self::Own => Tensor::from_dispatch(Dispatch::fused_gelu(x.into_dispatch())),
            _ => plain::gelu(x),
        }
    }

    /// `LayerNorm(dropout(x) + residual)`, all `[n, hidden]`.
    pub(crate) fn add_layer_norm(
        self,
        x: Tensor<2>,
        residual: Tensor<2>,
        [gamma, beta]: [Tensor<1>; 2],
        epsilon: f64,
        dropout: Option<Dropout>,
    ) -> Tensor<2> {
        match self {
            #[cfg(feature = "kernels")]
            Self::Own => Tensor::from_dispatch(Dispatch::fused_add_layer_norm(
                x.into_dispatch(),
                residual.into_dispatch(),
                gamma.into_dispatch(),
                beta.into_dispatch(),
                epsilon as f32,
                dropout,
            )),
            _ => {
                let sum = self.dropout(x, dropout) + residual;
                module::layer_norm(sum, gamma, Some(beta), epsilon)
            }
        }
    }

    /// `softmax(q·kᵀ / √head_dim)·v` in each row and head, all `[tokens, hidden]`.
    pub(crate) fn attention(
        self,
        [query, key, value]: [Tensor<2>; 3],
        layout: &Layout,
        attention: Attention,
    ) -> Tensor<2> {
        match layout {
            #[cfg(feature = "kernels")]
            Layout::Packed { offsets } => Tensor::from_dispatch(Dispatch::fused_attention(
                query.into_dispatch(),
                key.into_dispatch(),
                value.into_dispatch(),
                offsets.clone().into_dispatch(),
                attention,
            )),
            Layout::Padded { seq_len, attention_bias } => {
                let Attention { heads, window, dropout } = attention;
                let dropped = |probabilities| match dropout {
                    Some(dropout) => plain::dropout(probabilities, dropout),
                    None => probabilities,
                };
                let bias = match window {
                    Some(window) => {
                        attention_bias.clone()
                            + plain::local_bias(*seq_len, window, &attention_bias.device())
                    }
                    None => attention_bias.clone(),
                };
                plain::attention([query, key, value], *seq_len, bias, heads, dropped)
            }
        }
    }

    /// [`Self::attention`] of one query for each row, `[rows, hidden]`, where
    /// [`Self::attends_first`].
    pub(crate) fn first_attention(
        self,
        [query, key, value]: [Tensor<2>; 3],
        layout: &Layout,
        heads: usize,
        dropout: Option<Dropout>,
    ) -> Tensor<2> {
        match layout {
            #[cfg(feature = "flex")]
            Layout::Packed { offsets } => Tensor::from_dispatch(Dispatch::first_attention(
                query.into_dispatch(),
                key.into_dispatch(),
                value.into_dispatch(),
                offsets.clone().into_dispatch(),
                heads,
                dropout,
            )),
            #[cfg(all(feature = "kernels", not(feature = "flex")))]
            Layout::Packed { .. } => unreachable!("a build without the CPU attends to all"),
            Layout::Padded { .. } => {
                let attention = Attention { heads, window: None, dropout };
                self.attention([query, key, value], layout, attention)
            }
        }
    }

    /// Dropout, where there is any.
    pub(crate) fn dropout(self, x: Tensor<2>, dropout: Option<Dropout>) -> Tensor<2> {
        match (self, dropout) {
            (_, None) => x,
            #[cfg(feature = "kernels")]
            (Self::Own, Some(dropout)) => {
                Tensor::from_dispatch(Dispatch::fused_dropout(x.into_dispatch(), dropout))
            }
            (_, Some(dropout)) => plain::dropout(x, dropout),
        }
    }

    /// The same gradient with each id once, in ascending order, where [`Self::on_cpu`].
    pub(crate) fn merge_rows(self, sparse: SparseRows) -> SparseRows {
        #[cfg(feature = "flex")]
        {
            let SparseRows { ids, rows } = sparse;
            let (ids, rows) = Dispatch::merge_rows(ids.into_dispatch(), rows.into_dispatch());
            SparseRows { ids: Tensor::from_dispatch(ids), rows: Tensor::from_dispatch(rows) }
        }
        #[cfg(not(feature = "flex"))]
        unreachable!("a build without the CPU takes no sparse rows: {sparse:?}")
    }

    /// `before` `[1]` and the sum of squares.
    pub(crate) fn add_squares<const D: usize>(self, x: Tensor<D>, before: Tensor<1>) -> Tensor<1> {
        match self {
            #[cfg(feature = "kernels")]
            Self::Own => Tensor::from_dispatch(Dispatch::add_squares(
                x.into_dispatch(),
                before.into_dispatch(),
            )),
            Self::Burn => before + x.square().sum(),
        }
    }

    /// One AdamW step of a parameter: `θ ← θ − lr·λ·θ − lr·m̂ / (√v̂ + ε)`, all `[elements]`; the
    /// gradient is first multiplied by `scale` `[1]`.
    pub(crate) fn adamw(
        self,
        param: Tensor<1>,
        grad: Tensor<1>,
        moments: Moments,
        scale: Tensor<1>,
        step: AdamWStep,
    ) -> (Tensor<1>, Moments) {
        match self {
            #[cfg(feature = "kernels")]
            Self::Own => {
                let (param, first, second) = Dispatch::fused_adamw(
                    param.into_dispatch(),
                    grad.into_dispatch(),
                    moments.first.into_dispatch(),
                    moments.second.into_dispatch(),
                    scale.into_dispatch(),
                    step,
                );
                let [param, first, second] = [param, first, second].map(Tensor::from_dispatch);
                (param, Moments { first, second })
            }
            Self::Burn => plain::adamw(param, grad * scale, moments, step),
        }
    }

    /// The same of a table `[rows, width]` with a sparse gradient, each id once, where
    /// [`Self::on_cpu`].
    pub(crate) fn adamw_rows(
        self,
        table: Tensor<2>,
        sparse: SparseRows,
        moments: Moments,
        scale: Tensor<1>,
        step: AdamWStep,
    ) -> (Tensor<2>, Moments) {
        #[cfg(feature = "flex")]
        {
            let (table, first, second) = Dispatch::fused_adamw_rows(
                table.into_dispatch(),
                sparse.ids.into_dispatch(),
                sparse.rows.into_dispatch(),
                moments.first.into_dispatch(),
                moments.second.into_dispatch(),
                scale.into_dispatch(),
                step,
            );
            let [first, second] = [first, second].map(Tensor::from_dispatch);
            (Tensor::from_dispatch(table), Moments { first, second })
        }
        #[cfg(not(feature = "flex"))]
        unreachable!(
            "a build without the CPU takes no sparse rows: {table:?} {sparse:?} {moments:?} {scale:?} {step:?}"
        )
    }
}
