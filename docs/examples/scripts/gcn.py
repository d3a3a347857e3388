"""A graph convolutional network (Kipf and Welling, arXiv 1609.02907) on a graph with four communities.

python docs/examples/scripts/gcn.py --epochs 100
"""

import argparse
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.modules.module import Module
from torch.nn.parameter import Parameter


class GraphConvolution(Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(torch.FloatTensor(in_features, out_features).to(torch.get_default_dtype()))
        if bias:
            self.bias = Parameter(torch.empty(out_features))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)
        if self.bias is not None:
            self.bias.data.uniform_(-stdv, stdv)

    def forward(self, input, adj):
        support = torch.mm(input, self.weight)
        output = torch.mm(adj, support)
        return output + self.bias if self.bias is not None else output

    def __repr__(self):
        return f"{self.__class__.__name__} ({self.in_features} -> {self.out_features})"


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


def communities(count, classes, seed):
    """Nodes of a class are linked more often with each other; their features are noisy."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    chance = np.where(labels[:, None] == labels[None, :], 0.15, 0.01)
    links = np.triu(rng.random((count, count)) < chance, 1)
    features = rng.normal(size=(count, 16)) + 0.5 * np.eye(classes, 16)[labels]
    return labels, links | links.T, features


def normalize_adj(adj):
    """D^-1/2 (A + I) D^-1/2."""
    adj = adj + torch.eye(adj.shape[0])
    d_inv_sqrt = torch.diag(torch.pow(adj.sum(1), -0.5))
    return torch.einsum("ij,jk,kl->il", d_inv_sqrt, adj, d_inv_sqrt)


def accuracy(output, labels):
    preds = output.max(1)[1].type_as(labels)
    correct = preds.eq(labels).double()
    return correct.sum() / len(labels)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(42)

    labels, links, features = communities(args.nodes, 4, seed=0)
    dtype = torch.get_default_dtype()
    adj = normalize_adj(torch.tensor(links).type(dtype))
    features = torch.tensor(features, dtype=dtype)
    features = features / features.norm(dim=1, keepdim=True).clamp(min=1e-12)
    labels = torch.LongTensor(labels)
    idx_train, idx_test = torch.arange(40), torch.arange(100, args.nodes)

    model = GCN(features.shape[1], args.hidden, int(labels.max()) + 1, args.dropout)
    print(model)
    if args.init:
        model.load_state_dict(torch.load(args.init))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    losses = []
    for epoch in range(args.epochs):
        model.train()
        optimizer.zero_grad()
        output = model(features, adj)
        loss_train = F.nll_loss(output[idx_train], labels[idx_train])
        loss_train.backward()
        optimizer.step()
        losses.append(loss_train.item())
        if epoch % 20 == 0:
            acc_train = accuracy(output[idx_train], labels[idx_train])
            print(f"epoch {epoch:03d} loss {loss_train.item():.4f} acc {acc_train:.3f}")

    model.eval()
    with torch.no_grad():
        output = model(features, adj)
        loss_test = F.nll_loss(output[idx_test], labels[idx_test])
        confusion = torch.zeros(4, 4, dtype=torch.long)
        pairs = torch.stack((labels[idx_test], output[idx_test].argmax(1)))
        confusion.index_put_(
            (pairs[0], pairs[1]), torch.ones(pairs.size(1), dtype=torch.long), accumulate=True
        )
    print(f"test loss {loss_test:.4f} accuracy {accuracy(output[idx_test], labels[idx_test]).item():.3f}")
    print(confusion)
    losses.append(loss_test.item())
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
