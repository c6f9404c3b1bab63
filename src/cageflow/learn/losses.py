"""PPO's loss for the actor in torch, per step in meaning and per distinct observation in cost."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cageflow.learn.sampling import MASKED_LOGIT


@dataclass(frozen=True, slots=True)
class PolicyLoss:
    """The actor's loss over one minibatch and what is worth knowing about it; all 0-d tensors.

    Attributes:
        total: `clipped` less the entropy bonus; the one to differentiate.
        clipped: mean of the clipped surrogate, negated.
        entropy: mean entropy of the policy in nats.
        approx_kl: mean of (r - 1) - log r, r the probability ratio: an estimate of the KL divergence from the policy
            that acted to this one.
        clip_fraction: share of the steps whose ratio is further than the clip coefficient from 1.
    """

    total: Tensor
    clipped: Tensor
    entropy: Tensor
    approx_kl: Tensor
    clip_fraction: Tensor


def policy_loss(
    logits: Tensor,
    row_idx: Tensor,
    actions: Tensor,
    old_log_probs: Tensor,
    advantages: Tensor,
    *,
    clip_coef: float,
    ent_coef: float,
    masks: Tensor | None = None,
    mask_idx: Tensor | None = None,
) -> PolicyLoss:
    """The clipped surrogate loss with entropy bonus, averaged over steps.

    Steps that met the same observation share a row of logits: softmax, entropy and their gradients are computed once
    per row, and only the ratio and its clipping once per step. The result is that of one row per step. Masks differ
    from step to step, so with them the softmax is per step too.

    Args:
        logits: (U, A) float32, one row per distinct observation.
        row_idx: (N,) int64, each step's row.
        actions: (N,) int64.
        old_log_probs: (N,) float32 under the policy that acted.
        advantages: (N,) float32.
        clip_coef: half-width of the interval around 1 that the ratio is clipped to.
        ent_coef: weight of the entropy bonus.
        masks: (M, A) uint8, 1 for allowed; None for all allowed.
        mask_idx: (N,) int64, each step's row of `masks`; given if and only if they are.
    """
    if masks is None or mask_idx is None:
        parts = _PolicyLoss.apply(logits, row_idx, actions, old_log_probs, advantages, clip_coef, ent_coef)
    else:
        step_logits = logits.index_select(0, row_idx).masked_fill(masks.index_select(0, mask_idx) == 0, MASKED_LOGIT)
        step_idx = torch.arange(row_idx.shape[0], device=logits.device)
        parts = _PolicyLoss.apply(step_logits, step_idx, actions, old_log_probs, advantages, clip_coef, ent_coef)
    return PolicyLoss(*parts)


class _PolicyLoss(torch.autograd.Function):
    """The loss with its gradient written out, which takes a third of the passes over (U, A) that autograd takes."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        row_idx: Tensor,
        actions: Tensor,
        old_log_probs: Tensor,
        advantages: Tensor,
        clip_coef: float,
        ent_coef: float,
    ) -> tuple[Tensor, ...]:
        num_rows, num_actions = logits.shape
        num_steps = row_idx.shape[0]
        log_probs = torch.log_softmax(logits, dim=1)
        probs = log_probs.exp()
        row_entropy = -torch.linalg.vecdot(probs, log_probs)
        row_share = torch.bincount(row_idx, minlength=num_rows).to(logits.dtype).div_(num_steps)
        entropy = torch.dot(row_share, row_entropy)

        chosen = row_idx * num_actions + actions
        log_ratio = log_probs.view(-1).index_select(0, chosen) - old_log_probs
        ratio = log_ratio.exp()
        surrogate = ratio * advantages
        clipped_surrogate = ratio.clamp(1.0 - clip_coef, 1.0 + clip_coef) * advantages
        clipped = -torch.minimum(surrogate, clipped_surrogate).mean()
        excess = ratio - 1.0
        approx_kl = (excess - log_ratio).mean()
        clip_fraction = (excess.abs() > clip_coef).to(logits.dtype).mean()

        # A step's loss depends on its action's log-probability by -r A / N, or not at all where clipping decides;
        # log-softmax turns that into (one-hot - p) of the row. The entropy adds ent_coef * share * p (log p + H).
        step_grad = torch.where(surrogate <= clipped_surrogate, surrogate, 0.0).div_(-num_steps)
        row_grad = torch.zeros_like(row_entropy).index_add_(0, row_idx, step_grad)
        bonus = ent_coef * row_share
        grad = log_probs.mul_(bonus[:, None]).add_((bonus * row_entropy - row_grad)[:, None]).mul_(probs)
        grad.view(-1).index_add_(0, chosen, step_grad)
        return _finish(ctx, grad, ent_coef, clipped, entropy, approx_kl, clip_fraction)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = ctx.saved_tensors
        return grad_outputs[0] * grad, None, None, None, None, None, None


def _finish(
    ctx: Any, grad: Tensor, ent_coef: float, clipped: Tensor, entropy: Tensor, approx_kl: Tensor, clip_fraction: Tensor
) -> tuple[Tensor, ...]:
    """Keep the gradient and give the fields of `PolicyLoss`."""
    ctx.save_for_backward(grad)
    ctx.mark_non_differentiable(clipped, entropy, approx_kl, clip_fraction)
    return clipped - ent_coef * entropy, clipped, entropy, approx_kl, clip_fraction
