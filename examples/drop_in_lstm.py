"""unrolled.LSTM in a plain torch loop, with lengths in the place of packing: python examples/drop_in_lstm.py"""

from __future__ import annotations

import torch
from torch import nn

import unrolled

torch.manual_seed(0)


class Counter(nn.Module):
    """How many ones were in the sequence?"""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = unrolled.LSTM(1, 32, batch_first=True)  # arguments, shapes and state_dict keys of torch.nn.LSTM
        self.head = nn.Linear(32, 1)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        _, (h, _) = self.lstm(x, lengths=lengths)  # h is the state after the last true step of each sequence
        y: torch.Tensor = self.head(h[-1])
        return y[:, 0]


model = Counter()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(151):
    lengths = torch.randint(1, 20, (64,))
    x = (torch.rand(64, 20, 1) < 0.5).float()
    truth = (x[..., 0] * (torch.arange(20) < lengths[:, None])).sum(1)
    loss = nn.functional.mse_loss(model(x, lengths), truth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}  loss {loss.item():.3f}")
