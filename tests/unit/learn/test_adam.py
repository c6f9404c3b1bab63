import pytest
import torch

from cageflow.learn.adam import Adam


@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.9, 0.99), 1e-5), ((0.0, 0.5), 1.0)])
def test_step__does_what_torchs_adam_does(betas, eps):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(1000, generator=generator)
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    adam, wanted = Adam(ours, betas=betas, eps=eps), torch.optim.Adam([theirs], betas=betas, eps=eps)
    for number in range(30):
        learning_rate = 0.01 / (number + 1)
        ours.grad = torch.randn(1000, generator=generator) * 10.0 ** torch.randint(-6, 3, (1000,), generator=generator)
        theirs.grad = ours.grad.clone()
        adam.step(learning_rate)
        wanted.param_groups[0]["lr"] = learning_rate
        wanted.step()
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6)
    assert (ours - start).abs().max() > 0.01


def test_step__first_moves_by_the_learning_rate_against_the_gradients_sign():
    x = torch.tensor([1.0, 1.0, 1.0], requires_grad=True)
    x.grad = torch.tensor([5.0, -0.01, 0.0])
    Adam(x, betas=(0.9, 0.99), eps=1e-8).step(0.1)
    assert x.tolist() == pytest.approx([0.9, 1.1, 1.0], abs=1e-5)


def test_step__refuses_parameters_without_a_gradient():
    with pytest.raises(ValueError, match="expected parameters with a gradient, got none"):
        Adam(torch.zeros(2, requires_grad=True), betas=(0.9, 0.99), eps=1e-8).step(0.1)
