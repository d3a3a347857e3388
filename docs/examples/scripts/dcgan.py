"""A generative adversarial network of convolutions (Radford et al., arXiv 1511.06434) for small clothes.

python docs/examples/scripts/dcgan.py --steps 300
"""

import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import torch.utils.data


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        torch.nn.init.normal_(m.weight, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        torch.nn.init.normal_(m.weight, 1.0, 0.02)
        torch.nn.init.zeros_(m.bias)


class Generator(nn.Module):
    def __init__(self, nz, ngf):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 7, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self, ndf):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 7, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1, 1).squeeze(1)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/fashion_mnist_subset.npz")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--nz", type=int, default=32, help="size of the latent vector")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--beta1", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=999)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    opt = parser.parse_args(argv)
    torch.manual_seed(opt.seed)

    with np.load(opt.data) as data:
        images = torch.as_tensor(data["train_images"][:2048] / 127.5 - 1, dtype=torch.get_default_dtype())
    dataset = torch.utils.data.TensorDataset(images[:, None])
    dataloader = torch.utils.data.DataLoader(
        dataset, batch_size=opt.batch_size, shuffle=True, num_workers=0, drop_last=True, pin_memory=False
    )

    device = torch.device("cpu")
    netG = Generator(opt.nz, opt.width).to(device)
    netG.apply(weights_init)
    netD = Discriminator(opt.width).to(device)
    netD.apply(weights_init)
    if opt.init:
        saved = torch.load(opt.init)
        netG.load_state_dict(saved["G"])
        netD.load_state_dict(saved["D"])

    criterion = nn.BCELoss()
    real_label, fake_label = 1.0, 0.0
    optimizerD = optim.Adam(netD.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))

    losses, step = [], 0
    while step < opt.steps:
        for (real,) in dataloader:
            if step == opt.steps:
                break
            # maximize log(D(x)) + log(1 - D(G(z)))
            netD.zero_grad()
            real = real.to(device)
            batch_size = real.size(0)
            label = torch.full((batch_size,), real_label, dtype=real.dtype, device=device)
            output = netD(real)
            errD_real = criterion(output, label)
            errD_real.backward()
            D_x = output.mean().item()

            noise = torch.randn(batch_size, opt.nz, 1, 1, device=device)
            fake = netG(noise)
            label.fill_(fake_label)
            output = netD(fake.detach())
            errD_fake = criterion(output, label)
            errD_fake.backward()
            errD = errD_real + errD_fake
            optimizerD.step()

            # maximize log(D(G(z)))
            netG.zero_grad()
            label.fill_(real_label)
            output = netD(fake)
            errG = criterion(output, label)
            errG.backward()
            optimizerG.step()
            losses += [errD.item(), errG.item()]
            if step % 20 == 0:
                print(f"[{step}/{opt.steps}] D: {errD.item():.4f} G: {errG.item():.4f} D(x): {D_x:.4f}")
            step += 1
    if opt.save:
        torch.save({"G": netG.state_dict(), "D": netD.state_dict()}, opt.save)
    return losses


if __name__ == "__main__":
    main()
