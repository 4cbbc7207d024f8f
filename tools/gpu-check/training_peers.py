"""The training steps of tools/bench/peers/training.py on the GPU."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "bench" / "peers"))

import training  # noqa: E402

STEPS = {
    "mlp_step": (training.mlp_parameters, training.mlp_data, lambda sizes: training.mlp_logits),
    "gpt_step": (training.gpt_parameters, training.gpt_data, training.gpt_logits),
}


def torch_call(name, sizes, compiled):
    parameters, data, logits_of = STEPS[name]
    dialect, logits = training.Torch(torch), logits_of(sizes)
    p = {k: torch.from_numpy(a).cuda().requires_grad_() for k, a in parameters(sizes).items()}
    x, y = (torch.from_numpy(a).cuda() for a in data(sizes))
    x, y = x.long() if x.dtype == torch.int32 else x, y.long()
    optimizer = torch.optim.AdamW(
        p.values(),
        lr=training.LR,
        betas=(training.B1, training.B2),
        eps=training.EPS,
        weight_decay=training.DECAY,
        foreach=True,
        capturable=True,
    )
    loss_of = lambda p: dialect.loss(logits(dialect, p, x), y)  # noqa: E731
    if compiled:
        loss_of = torch.compile(loss_of)

    def step():
        # masks are made where the default device is
        with torch.device("cuda"):
            optimizer.zero_grad(set_to_none=True)
            loss_of(p).backward()
            optimizer.step()

    return step


def jax_call(name, sizes):
    from jax_peers import training_call

    parameters, data, logits_of = STEPS[name]
    return training_call(logits_of(sizes), training.Arrays, parameters(sizes), *data(sizes))
