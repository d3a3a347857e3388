"""Train a small network on a part of every batch, and print the loss of the whole batch of each step.

Words: the steps, then any of unused, forgotten, views, accumulate, sync_batchnorm, zero, clip, buckets.
"""

import sys

import genesis
import genesis.distributed as dist
from genesis import nn
from genesis.data import DataLoader, DistributedSampler, TensorDataset
from genesis.nn.parallel import DistributedDataParallel as DDP

steps, words = int(sys.argv[1]), set(sys.argv[2:])
dist.init_process_group()
me, n = dist.get_rank(), dist.get_world_size()
BATCH = 16

genesis.manual_seed(0)
x, y = genesis.randn(64, 3, 4, 4), genesis.randint(0, 5, (64,))
data = TensorDataset(x, y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8) if "sync_batchnorm" in words else nn.Identity()
        self.hidden, self.out = nn.Linear(128, 32), nn.Linear(32, 5)
        self.spare = nn.Linear(32, 5) if {"unused", "forgotten"} & words else None

    def forward(self, x, step=0):
        h = self.conv(x)
        h = self.norm(h)
        h = self.hidden(h.relu().flatten(1)).relu()
        return {"out": self.spare(h)} if "unused" in words and step % 2 and me == 0 else {"out": self.out(h)}


genesis.manual_seed(me)  # so that it matters who gives the parameters
model = Net()
if "sync_batchnorm" in words:
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
if n == 1:
    genesis.manual_seed(0)
ddp = DDP(
    model,
    find_unused_parameters="unused" in words,
    gradient_as_bucket_view="views" in words,
    bucket_cap_mb=0.001 if "buckets" in words else None,
)
if "zero" in words:
    from genesis.distributed.optim import ZeroRedundancyOptimizer

    optimizer = ZeroRedundancyOptimizer(ddp.parameters(), genesis.optim.AdamW, lr=1e-2)
else:
    optimizer = genesis.optim.AdamW(ddp.parameters(), lr=1e-2)
scheduler = genesis.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
sampler = DistributedSampler(data, shuffle=True, seed=3)
loader = DataLoader(data, batch_size=BATCH // n, sampler=sampler)
loss_function, step = nn.CrossEntropyLoss(), 0
for epoch in range(100):
    sampler.set_epoch(epoch)
    for xb, yb in loader:
        optimizer.zero_grad()
        if "accumulate" in words:  # the two halves of the part one after the other
            half = len(xb) // 2
            with ddp.no_sync():
                first = loss_function(ddp(xb[:half], step)["out"], yb[:half]) / 2
                first.backward()
            loss = loss_function(ddp(xb[half:], step)["out"], yb[half:]) / 2
            loss.backward()
            loss = loss.detach() + first.detach()
        else:
            loss = loss_function(ddp(xb, step)["out"], yb)
            loss.backward()
        if "clip" in words:
            nn.utils.clip_grad_norm_(ddp.parameters(), 0.05)
        optimizer.step()
        scheduler.step()
        mean = loss.detach().clone()
        dist.all_reduce(mean, op=dist.ReduceOp.AVG)
        if me == 0:
            print(f"loss {mean.item():.7f} {scheduler.get_last_lr()[0]:.6f}", flush=True)
        step += 1
        if step == steps:
            break
    if step == steps:
        break

# whatever happened, all have the same parameters
total = genesis.cat([p.detach().flatten() for p in model.parameters()])
every = [genesis.empty_like(total) for _ in range(n)]
dist.all_gather(every, total)
assert all((e == total).all() for e in every)
if "zero" in words:
    held = sum(len(s) for s in optimizer.optim.state_dict()["state"].values())
    print(f"rank {me} holds {held}", flush=True)
    optimizer.consolidate_state_dict()
    if me == 0:
        state = optimizer.state_dict()
        print("whole", len(state["state"]), len(state["param_groups"][0]["params"]), flush=True)
dist.destroy_process_group()
