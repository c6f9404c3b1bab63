import math

import pytest
import torch

from cageflow.learn.losses import policy_loss

LOGITS = torch.log(torch.tensor([[0.25, 0.75], [0.5, 0.5]]))


def hand_worked(ent_coef=0.0):
    """Two rows, five steps. The ratios are, in turn, 1.5, 0.5, 1.1, 0.5 and 2."""
    rows = torch.tensor([0, 0, 0, 1, 1])
    actions = torch.tensor([1, 1, 0, 0, 1])
    old = torch.log(torch.tensor([0.75 / 1.5, 0.75 / 0.5, 0.25 / 1.1, 0.5 / 0.5, 0.5 / 2.0]))
    advantages = torch.tensor([1.0, -1.0, 2.0, 1.0, -3.0])
    logits = LOGITS.clone().requires_grad_()
    loss = policy_loss(logits, rows, actions, old, advantages, clip_coef=0.2, ent_coef=ent_coef)
    return loss, logits


def test_clipped__by_hand():
    # min(1.5, 1.2) = 1.2; min(-0.5, -0.8) = -0.8; 2.2 not clipped; min(0.5, 0.8) = 0.5; min(-6, -3.6) = -6
    loss, _ = hand_worked()
    assert loss.clipped.item() == pytest.approx(-(1.2 - 0.8 + 2.2 + 0.5 - 6.0) / 5)
    assert loss.total.item() == pytest.approx(loss.clipped.item())


def test_gradient__by_hand_counts_only_the_steps_that_clipping_leaves():
    # Left are steps 2 (2.2), 3 (0.5) and 4 (-6); each adds -r A / 5 * (one-hot - p) to its row.
    _, logits = _backward()
    row0 = [-2.2 / 5 * (1 - 0.25), -2.2 / 5 * (0 - 0.75)]
    row1 = [-0.5 / 5 * (1 - 0.5) + 6.0 / 5 * (0 - 0.5), -0.5 / 5 * (0 - 0.5) + 6.0 / 5 * (1 - 0.5)]
    assert logits.grad.tolist() == [pytest.approx(row0), pytest.approx(row1)]


def _backward():
    loss, logits = hand_worked()
    loss.total.backward()
    return loss, logits


def test_entropy__by_hand_weighs_each_row_by_its_steps_and_is_subtracted():
    loss, _ = hand_worked(ent_coef=0.1)
    row0 = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert loss.entropy.item() == pytest.approx((3 * row0 + 2 * math.log(2.0)) / 5)
    assert loss.total.item() == pytest.approx(loss.clipped.item() - 0.1 * loss.entropy.item())


def test_entropy__alone_pushes_towards_the_uniform_distribution():
    logits = torch.tensor([[2.0, 0.0, -1.0]], requires_grad=True)
    zeros = torch.zeros(1)
    index = torch.zeros(1, dtype=torch.int64)
    policy_loss(logits, index, index, zeros, zeros, clip_coef=0.2, ent_coef=0.01).total.backward()
    assert logits.grad[0, 0] > 0 > logits.grad[0, 2]


def test_measures__by_hand():
    loss, _ = hand_worked()
    ratios = [1.5, 0.5, 1.1, 0.5, 2.0]
    assert loss.approx_kl.item() == pytest.approx(sum(r - 1 - math.log(r) for r in ratios) / 5)
    assert loss.clip_fraction.item() == pytest.approx(4 / 5)


def textbook(logits, rows, actions, old, advantages, clip_coef, ent_coef):
    """The loss with one row of logits per step, left to autograd."""
    distribution = torch.distributions.Categorical(logits=logits[rows])
    ratio = (distribution.log_prob(actions) - old).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    surrogate = torch.minimum(ratio * advantages, clipped * advantages)
    return -surrogate.mean() - ent_coef * distribution.entropy().mean()


def random_minibatch(num_rows, num_actions, dtype, num_masks=None):
    """Logits, steps and, if asked for, masks; about half the ratios lie outside the clip interval."""
    generator = torch.Generator().manual_seed(num_rows)
    logits = torch.randn((num_rows, num_actions), generator=generator, dtype=dtype)
    rows = torch.randint(0, num_rows, (300,), generator=generator)
    masks = mask_idx = None
    shown = logits[rows]
    if num_masks is not None:
        masks = (torch.rand((num_masks, num_actions), generator=generator) < 0.4).to(torch.uint8)
        masks[:, -1] = 1
        mask_idx = torch.randint(0, num_masks, (300,), generator=generator)
        shown = shown.masked_fill(masks[mask_idx] == 0, -math.inf)
    log_probs = torch.log_softmax(shown, 1)
    actions = torch.multinomial(log_probs.exp(), 1, generator=generator)[:, 0]
    old = log_probs[torch.arange(300), actions] + 0.3 * torch.randn(300, generator=generator, dtype=dtype)
    advantages = torch.randn(300, generator=generator, dtype=dtype)
    return logits, (rows, actions, old, advantages), masks, mask_idx


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("num_masks", [1, 9, 300])
@pytest.mark.parametrize(("num_rows", "num_actions"), [(1, 8), (7, 11), (40, 145), (400, 145)])
def test_masked_policy_loss__equals_the_loss_on_masked_logits_in_value_and_gradient(
    num_rows, num_actions, num_masks, dtype
):
    logits, steps, masks, mask_idx = random_minibatch(num_rows, num_actions, dtype, num_masks)
    settings = {"clip_coef": 0.2, "ent_coef": 0.05}
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = policy_loss(ours, *steps, **settings, masks=masks, mask_idx=mask_idx)
    shown = theirs[steps[0]].masked_fill(masks[mask_idx] == 0, -1e9)
    wanted = policy_loss(shown, torch.arange(300), *steps[1:], **settings)
    (3.0 * loss.total).backward()
    (3.0 * wanted.total).backward()
    for name in ("total", "clipped", "entropy", "approx_kl", "clip_fraction"):
        assert getattr(loss, name).item() == pytest.approx(getattr(wanted, name).item(), abs=1e-6), name
    assert 0.1 < loss.clip_fraction.item() < 0.9
    assert torch.allclose(ours.grad, theirs.grad, rtol=0, atol=1e-4 * theirs.grad.abs().max().item())


@pytest.mark.parametrize("ent_coef", [0.0, 0.05])
@pytest.mark.parametrize("num_rows", [1, 7, 400])
def test_policy_loss__equals_the_textbook_per_step_in_value_and_gradient(num_rows, ent_coef):
    logits, steps, _, _ = random_minibatch(num_rows, 145, torch.float64)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = policy_loss(ours, *steps, clip_coef=0.2, ent_coef=ent_coef).total
    wanted = textbook(theirs, *steps, 0.2, ent_coef)
    (3.0 * loss).backward()
    (3.0 * wanted).backward()
    assert loss.item() == pytest.approx(wanted.item(), abs=1e-12)
    assert torch.allclose(ours.grad, theirs.grad, rtol=1e-10, atol=1e-14)
