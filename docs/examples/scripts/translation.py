"""A sequence-to-sequence transformer (Vaswani et al., arXiv 1706.03762) learns to reverse numbers.

python docs/examples/scripts/translation.py --steps 200
"""

import argparse
import math
import random

import torch
import torch.nn as nn
from torch.nn import Transformer
from torch.nn.utils.rnn import pad_sequence

PAD, BOS, EOS = 0, 1, 2
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class PositionalEncoding(nn.Module):
    def __init__(self, emb_size, dropout, maxlen=64):
        super().__init__()
        den = torch.exp(-torch.arange(0, emb_size, 2) * math.log(10000) / emb_size)
        pos = torch.arange(0, maxlen).reshape(maxlen, 1)
        pos_embedding = torch.zeros((maxlen, emb_size))
        pos_embedding[:, 0::2] = torch.sin(pos * den)
        pos_embedding[:, 1::2] = torch.cos(pos * den)
        pos_embedding = pos_embedding.unsqueeze(-2)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("pos_embedding", pos_embedding)

    def forward(self, token_embedding):
        return self.dropout(token_embedding + self.pos_embedding[: token_embedding.size(0), :])


class Seq2SeqTransformer(nn.Module):
    def __init__(self, source, target, emb_size=32, nhead=4, layers=2, dropout=0.1):
        super().__init__()
        self.transformer = Transformer(
            d_model=emb_size, nhead=nhead, num_encoder_layers=layers, num_decoder_layers=layers,
            dim_feedforward=64, dropout=dropout,
        )  # fmt: skip
        self.generator = nn.Linear(emb_size, target)
        self.src_tok_emb = nn.Embedding(source, emb_size)
        self.tgt_tok_emb = nn.Embedding(target, emb_size, padding_idx=PAD)
        self.positional_encoding = PositionalEncoding(emb_size, dropout)
        self.scale = math.sqrt(emb_size)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)

    def forward(self, src, trg, tgt_mask, src_padding_mask, tgt_padding_mask):
        src_emb = self.positional_encoding(self.src_tok_emb(src) * self.scale)
        tgt_emb = self.positional_encoding(self.tgt_tok_emb(trg) * self.scale)
        outs = self.transformer(
            src_emb, tgt_emb, None, tgt_mask, None, src_padding_mask, tgt_padding_mask, src_padding_mask
        )
        return self.generator(outs)

    def encode(self, src):
        return self.transformer.encoder(self.positional_encoding(self.src_tok_emb(src) * self.scale))

    def decode(self, tgt, memory, tgt_mask):
        embedded = self.positional_encoding(self.tgt_tok_emb(tgt) * self.scale)
        return self.transformer.decoder(embedded, memory, tgt_mask)


def example(rng):
    digits = [rng.randrange(10) for _ in range(rng.randint(2, 6))]
    source = torch.tensor([BOS] + [d + 3 for d in digits] + [EOS])
    target = torch.tensor([BOS] + [d + 3 for d in reversed(digits)] + [EOS])
    return source, target


def batch(rng, size):
    pairs = [example(rng) for _ in range(size)]
    return [pad_sequence([p[i] for p in pairs], padding_value=PAD) for i in (0, 1)]


@torch.no_grad()
def greedy_decode(model, src, max_len=10):
    model.eval()
    memory = model.encode(src.view(-1, 1))
    ys = torch.ones(1, 1).fill_(BOS).type(torch.long)
    for _ in range(max_len - 1):
        mask = Transformer.generate_square_subsequent_mask(ys.size(0)).type(torch.bool)
        out = model.decode(ys, memory, mask).transpose(0, 1)
        _, next_word = torch.max(model.generator(out[:, -1]), dim=1)
        next_word = next_word.item()
        ys = torch.cat([ys, torch.ones(1, 1).type_as(src.data).fill_(next_word)], dim=0)
        if next_word == EOS:
            break
    return ys.flatten()


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(0)
    rng = random.Random(0)

    model = Seq2SeqTransformer(13, 13, dropout=args.dropout)
    if args.init:
        model.load_state_dict(torch.load(args.init))
    loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: 0.3 * 32**-0.5 * min((s + 1) ** -0.5, (s + 1) * 40**-1.5)
    )
    losses = []
    for step in range(args.steps):
        model.train()
        src, tgt = batch(rng, args.batch_size)
        tgt_input = tgt[:-1, :]
        tgt_mask = nn.Transformer.generate_square_subsequent_mask(tgt_input.size(0))
        src_padding_mask = (src == PAD).transpose(0, 1)
        tgt_padding_mask = torch.zeros(tgt_input.T.shape).masked_fill_((tgt_input == PAD).T, float("-inf"))
        src_padding_mask = torch.zeros(src_padding_mask.shape).masked_fill(src_padding_mask, float("-inf"))
        logits = model(src, tgt_input, tgt_mask, src_padding_mask, tgt_padding_mask)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt[1:, :].reshape(-1))
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if step % 50 == 0:
            print(f"step {step}: loss {loss.item():.3f}, lr {scheduler.get_last_lr()[0]:.5f}")

    src, _ = example(rng)
    said = [WORDS[i - 3] for i in greedy_decode(model, src).tolist() if i > EOS]
    print(" ".join(WORDS[i - 3] for i in src.tolist() if i > EOS), "->", " ".join(said))
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
