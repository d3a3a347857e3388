"""A character-level language model with an LSTM, and samples of what it has learnt.

python docs/examples/scripts/char_lstm.py --steps 500
"""

import argparse
import gzip

import torch
import torch.nn as nn


class Corpus:
    def __init__(self, path, length):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            text = file.read(length)
        self.vocab = sorted(set(text))
        self.stoi = {c: i for i, c in enumerate(self.vocab)}
        self.data = torch.tensor([self.stoi[c] for c in text], dtype=torch.long)


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data.narrow(0, 0, nbatch * bsz).view(bsz, -1).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid, nlayers, dropout, tie_weights=True):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        if tie_weights:
            self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        self.nhid, self.nlayers = nhid, nlayers

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        decoded = self.decoder(self.drop(output))
        return decoded.view(-1, decoded.size(-1)), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return (
            weight.new_zeros(self.nlayers, bsz, self.nhid),
            weight.new_zeros(self.nlayers, bsz, self.nhid),
        )


def repackage_hidden(h):
    """New tensors, cut off from their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/shakespeare.txt.gz")
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--bptt", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=5.0)
    parser.add_argument("--clip", type=float, default=0.25)
    parser.add_argument("--sample", type=int, default=200, help="characters to write in the end")
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(1111)

    corpus = Corpus(args.data, args.characters)
    train_data = batchify(corpus.data, args.batch_size)
    ntokens = len(corpus.vocab)
    model = RNNModel(ntokens, args.size, args.size, args.layers, args.dropout)
    if args.init:
        model.load_state_dict(torch.load(args.init))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=2)

    losses, total = [], 0.0
    hidden = model.init_hidden(args.batch_size)
    model.train()
    for step in range(args.steps):
        i = (step * args.bptt) % (train_data.size(0) - args.bptt - 1)
        data = train_data[i : i + args.bptt]
        targets = train_data[i + 1 : i + 1 + args.bptt].reshape(-1)
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        losses.append(loss.item())
        total += loss.item()
        if (step + 1) % 20 == 0:
            mean, total = total / 20, 0.0
            scheduler.step(mean)
            print(f"step {step + 1:5d} | lr {optimizer.param_groups[0]['lr']:.2f} | loss {mean:5.2f}")

    model.eval()
    with torch.no_grad():
        hidden = model.init_hidden(1)
        input = torch.randint(ntokens, (1, 1), dtype=torch.long)
        text = []
        for _ in range(args.sample):
            output, hidden = model(input, hidden)
            word_weights = output.squeeze().div(0.8).exp().cpu()
            word_idx = torch.multinomial(word_weights, 1)[0]
            input.fill_(word_idx)
            text.append(corpus.vocab[word_idx])
    print("".join(text))
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
