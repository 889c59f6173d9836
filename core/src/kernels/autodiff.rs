//! The backward rules: what each operation keeps of its inputs, and which gradients it gives back.
//!
//! Inputs are kept, not intermediate results: those are computed again, which is cheaper than
//! storing them.

use burn::backend::{
    Autodiff, AutodiffBackend, Backend,
    autodiff::{
        NodeId,
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::{FloatTensor, IntTensor},
};

#[cfg(feature = "flex")]
use super::extension::{CpuBackward, CpuOps};
use super::{
    AdamWStep, Attention, Dropout,
    extension::{FusedBackward, FusedOps},
};

impl<B: FusedBackward, C: CheckpointStrategy> FusedOps for Autodiff<B, C> {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        match Linear.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let out = B::fused_linear(x.clone(), weight.clone(), bias.into_primitive());
                prep.finish([x, weight], out)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::fused_linear(x, weight, bias.into_primitive()))
            }
        }
    }

    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match Gelu.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x.clone(), B::fused_gelu(x)),
            OpsKind::UnTracked(prep) => prep.finish(B::fused_gelu(x)),
        }
    }

    fn fused_add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), residual.node(), gamma.node(), beta.node()];
        let [x, residual, gamma, beta] = [x, residual, gamma, beta].map(|t| t.into_primitive());
        let kept = [x.clone(), residual.clone(), gamma.clone()];
        let out = B::fused_add_layer_norm(x, residual, gamma, beta, epsilon, dropout);
        match AddLayerNorm.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((kept, epsilon, dropout), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        offsets: IntTensor<Self>,
        attention: Attention,
    ) -> FloatTensor<Self> {
        let nodes = [query.node(), key.node(), value.node()];
        let [query, key, value] = [query, key, value].map(|t| t.into_primitive());
        let kept = [query.clone(), key.clone(), value.clone()];
        let out = B::fused_attention(query, key, value, offsets.clone(), attention);
        match AttentionRule.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((kept, offsets, attention), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let out = B::fused_dropout(x, dropout);
        match DropoutRule.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(dropout, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    // What the optimizer does happens outside any graph.

    fn add_squares(x: FloatTensor<Self>, before: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::from_inner(B::add_squares(x.into_primitive(), before.into_primitive()))
    }

    fn fused_adamw(
        param: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [param, grad, first, second, scale] =
            [param, grad, first, second, scale].map(|t| t.into_primitive());
        outside::<B, C>(B::fused_adamw(param, grad, first, second, scale, step))
    }
}

#[cfg(feature = "flex")]
impl<B: CpuBackward, C: CheckpointStrategy> CpuOps for Autodiff<B, C> {
    fn first_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        offsets: IntTensor<Self>,
        heads: usize,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self> {
        let nodes = [query.node(), key.node(), value.node()];
        let [query, key, value] = [query, key, value].map(|t| t.into_primitive());
        let kept = [query.clone(), key.clone(), value.clone()];
        let out = B::first_attention(query, key, value, offsets.clone(), heads, dropout);
        match FirstAttention.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((kept, offsets, heads, dropout), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn merge_rows(
        ids: IntTensor<Self>,
        rows: FloatTensor<Self>,
    ) -> (IntTensor<Self>, FloatTensor<Self>) {
        let (ids, rows) = B::merge_rows(ids, rows.into_primitive());
        (ids, Self::from_inner(rows))
    }

    fn fused_adamw_rows(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [table, rows, first, second, scale] =
            [table, rows, first, second, scale].map(|t| t.into_primitive());
        outside::<B, C>(B::fused_adamw_rows(table, ids, rows, first, second, scale, step))
    }
}

#[derive(Debug)]
struct Linear;

impl<B: FusedBackward> Backward<B, 3> for Linear {
    /// `x` and `weight`
    type State = [FloatTensor<B>; 2];

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let parents = ids(&ops);
        let [x, weight] = ops.state;
        let wanted = parents.map(|parent| parent.is_some());
        let computed = B::fused_linear_backward(x, weight, grad, wanted);
        register::<B, 3>(parents, computed, grads);
    }
}

#[derive(Debug)]
struct Gelu;

impl<B: FusedBackward> Backward<B, 1> for Gelu {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let parents = ids(&ops);
        let grad = B::fused_gelu_backward(ops.state, grads.consume::<B>(&ops.node));
        register::<B, 1>(parents, [Some(grad)], grads);
    }
}

#[derive(Debug)]
struct AddLayerNorm;

impl<B: FusedBackward> Backward<B, 4> for AddLayerNorm {
    type State = ([FloatTensor<B>; 3], f32, Option<Dropout>);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let parents = ids(&ops);
        let ([x, residual, gamma], epsilon, dropout) = ops.state;
        let computed = B::fused_add_layer_norm_backward(x, residual, gamma, grad, epsilon, dropout);
        register::<B, 4>(parents, computed.map(Some), grads);
    }
}

#[derive(Debug)]
struct AttentionRule;

impl<B: FusedBackward> Backward<B, 3> for AttentionRule {
    type State = ([FloatTensor<B>; 3], IntTensor<B>, Attention);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let parents = ids(&ops);
        let (query_key_value, offsets, attention) = ops.state;
        let computed = B::fused_attention_backward(query_key_value, offsets, grad, attention);
        register::<B, 3>(parents, computed.map(Some), grads);
    }
}

#[cfg(feature = "flex")]
#[derive(Debug)]
struct FirstAttention;

#[cfg(feature = "flex")]
impl<B: CpuBackward> Backward<B, 3> for FirstAttention {
    type State = ([FloatTensor<B>; 3], IntTensor<B>, usize, Option<Dropout>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let parents = ids(&ops);
        let (query_key_value, offsets, heads, dropout) = ops.state;
        let computed = B::first_attention_backward(query_key_value, offsets, grad, heads, dropout);
        register::<B, 3>(parents, computed.map(Some), grads);
    }
}

#[derive(Debug)]
struct DropoutRule;

impl<B: FusedBackward> Backward<B, 1> for DropoutRule {
    type State = Dropout;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let parents = ids(&ops);
        let grad = B::fused_dropout(grads.consume::<B>(&ops.node), ops.state);
        register::<B, 1>(parents, [Some(grad)], grads);
    }
}

/// A parameter and its moments.
type Updated<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// The same, outside any graph.
fn outside<B: Backend, C: CheckpointStrategy>(
    (param, first, second): Updated<B>,
) -> Updated<Autodiff<B, C>> {
    let tensor = Autodiff::<B, C>::from_inner;
    (tensor(param), tensor(first), tensor(second))
}

/// The inputs that want a gradient.
fn ids<S, const N: usize>(ops: &Ops<S, N>) -> [Option<NodeId>; N] {
    ops.parents.each_ref().map(|parent| parent.as_ref().map(|node| node.id))
}

/// Hands each gradient to its input, where that one wants it.
fn register<B: Backend, const N: usize>(
    parents: [Option<NodeId>; N],
    computed: [Option<FloatTensor<B>>; N],
    grads: &mut Gradients,
) {
    for (parent, grad) in parents.into_iter().zip(computed) {
        if let (Some(parent), Some(grad)) = (parent, grad) {
            grads.register::<B>(parent, grad);
        }
    }
}
