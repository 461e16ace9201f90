"""The translator learns to turn sequences around, and beam search finds what searching everything finds."""

from itertools import product

import torch
from torch import nn

from groundup.models.networks.initialisation import initialise
from groundup.models.networks.translator import Beams, Translator, translate

START, END = 1, 2


def make(**options: int) -> Translator:
    translator = Translator(12, width=32, depth=1, n_heads=2, dropout=0.0, **options)
    initialise(translator, "xavier", seed=0)
    return translator


def test_it_learns_to_reverse() -> None:
    translator = make()
    random = torch.Generator().manual_seed(0)
    source = torch.randint(3, 12, (64, 4), generator=random)
    ends = torch.full((64, 1), END)
    target = torch.cat([torch.full((64, 1), START), source.flip(1), ends], dim=1)
    optimizer = torch.optim.AdamW(translator.parameters(), lr=5e-3)
    for _ in range(200):
        logits = translator(source, target[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    written = translate(translator.eval(), source, Beams(START, END, n_beams=2, longest=8))
    assert sum(one == other for one, other in zip(written, source.flip(1).tolist(), strict=True)) >= 60


def test_wide_beams_find_the_likeliest_target() -> None:
    translator = make().eval()
    torch.nn.init.normal_(translator.embed.weight, std=0.5)
    for block in translator.decoder:
        nn.init.normal_(block.attention.out.weight, std=0.5)
        nn.init.normal_(block.source_attention.out.weight, std=0.5)
    source = torch.tensor([[4, 5, 6]])
    longest = 2

    def likelihood(tokens: tuple[int, ...]) -> float:
        target = torch.tensor([[START, *tokens, END]])
        with torch.no_grad():
            log_p = translator(source, target[:, :-1]).log_softmax(dim=-1)
        return float(log_p[0].gather(1, target[0, 1:, None]).sum()) / len(target[0, 1:])

    words = [token for token in range(12) if token != END]
    every = [each for n in range(longest) for each in product(words, repeat=n)]
    best = max(every, key=likelihood)
    beams = Beams(START, END, n_beams=60, longest=longest, length_penalty=1.0)
    assert translate(translator, source, beams) == [list(best)]


def test_a_batch_is_translated_as_its_rows_alone() -> None:
    translator = make().eval()
    nn.init.normal_(translator.embed.weight, std=0.5)
    source = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0]])
    beams = Beams(START, END, n_beams=3, longest=6)
    alone = [translate(translator, row[row != 0].unsqueeze(0), beams)[0] for row in source]
    assert translate(translator, source, beams) == alone
