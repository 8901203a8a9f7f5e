#!/usr/bin/python3
"""Recall of near duplicates at equal false matches: bands of min-hashes beside TLSH and ssdeep.

Reads what `fuzzy_compare dump` wrote. A near duplicate counts as found when it matches the mail it was made from; a false
match is a good mail that matches any other mail of another domain. TLSH and ssdeep (Debian: python3-tlsh, python3-ssdeep)
see the same visible text, and their threshold is the one whose false matches are nearest to the bands' from above.

  fuzzy_compare.py bands FILE       choices of bins, rows and bands; of the text and of HTML structure
  fuzzy_compare.py peers FILE       the chosen one beside TLSH and ssdeep, on a sample
"""
import collections
import random
import sys
import time

EMPTY = 0xFFFFFFFF
MASK = (1 << 64) - 1
KINDS = ("light", "medium", "heavy")


def mixed(value):
    value ^= value >> 32
    value = value * 0xD6E8FEB86659FD93 & MASK
    value ^= value >> 32
    value = value * 0xD6E8FEB86659FD93 & MASK
    return value ^ value >> 32


def densified(text):
    bins = [int(each) for each in text.split(",")]
    filled = sum(each != EMPTY for each in bins)
    if filled == 0:
        return None, 0
    full = list(bins)
    for at, value in enumerate(bins):
        attempt, source = 0, at
        while bins[source] == EMPTY and attempt < 4 * len(bins):
            attempt += 1
            source = (mixed(at * 7919 + attempt) >> 32) * len(bins) >> 32
        full[at] = bins[source]
    return full, filled


class Mail:
    def __init__(self, line):
        kind, number, domain, text, structure, texts, tags, visible, html = line.rstrip("\n").split(" ")
        self.kind, self.number, self.domain = kind, int(number), domain
        self.text, self.filled = densified(text)
        self.structure, self.structure_filled = densified(structure)
        self.texts, self.tags = int(texts), int(tags)
        self.visible, self.html = bytes.fromhex(visible[1:]), bytes.fromhex(html[1:])


def organisation(domain):
    return ".".join(domain.split(".")[-2:])


def report(name, hits, totals, false, good):
    print(f"{name:34}" + "".join(f" {100 * hits[k] / max(1, totals[k]):5.1f}" for k in KINDS)
          + f"   {100 * false / good:6.2f} % ({false} of {good})")


def judge_bands(mails, bins_of, enough, rows, bands, need, name):
    table = collections.defaultdict(list)

    def keys(mail):
        bins = bins_of(mail)
        return [(band, tuple(bins[band * rows:band * rows + rows])) for band in range(bands)]

    usable = [mail for mail in mails if bins_of(mail) and enough(mail)]
    originals = [mail for mail in usable if mail.kind in ("spam", "ham")]
    for mail in originals:
        for key in keys(mail):
            table[key].append(mail)
    known = {mail.number for mail in originals}
    hits, totals, false, good = collections.Counter(), collections.Counter(), 0, 0
    for mail in usable:
        if mail.kind == "spam":
            continue
        matched = collections.Counter(other.number for key in keys(mail) for other in table[key])
        if mail.kind == "ham":
            good += 1
            domains = {other.number: other.domain for key in keys(mail) for other in table[key]}
            false += any(count >= need and number != mail.number and
                         organisation(domains[number]) != organisation(mail.domain)
                         for number, count in matched.items())
        elif mail.number in known:
            totals[mail.kind] += 1
            hits[mail.kind] += matched[mail.number] >= need
    report(name, hits, totals, false, good)
    return false / good


def compare_bands(mails):
    print("recall, %                            light medium heavy   false matches of good mails")
    for least_shingles, least_bins in ((30, 16),):
        enough = lambda mail: mail.texts >= least_shingles and mail.filled >= least_bins
        for rows, bands in ((2, 8), (2, 12), (2, 16), (3, 6), (3, 8), (3, 10), (4, 6), (4, 8), (5, 6), (6, 5)):
            for need in (1, 2, 3):
                judge_bands(mails, lambda mail: mail.text, enough, rows, bands, need,
                            f"text >={least_shingles} {bands} bands of {rows}, {need} needed")
        print()
    for least_tags, least_bins in ((16, 8), (24, 11), (40, 14)):
        enough = lambda mail: mail.tags >= least_tags and mail.structure_filled >= least_bins
        for rows, bands in ((3, 4), (3, 5), (4, 3), (4, 4), (5, 3), (8, 2)):
            for need in (1, 2):
                judge_bands(mails, lambda mail: mail.structure, enough, rows, bands, need,
                            f"structure >={least_tags} {bands} of {rows}, {need} needed")


def compare_peers(mails, rows, bands, need):
    import ssdeep
    import tlsh
    enough = lambda mail: mail.text and mail.texts >= 30 and mail.filled >= 16
    usable = [mail for mail in mails if enough(mail)]
    chosen = random.Random(5)
    spams = [mail for mail in usable if mail.kind == "spam"]
    varied = {mail.number for mail in usable if mail.kind == "light"}
    originals = [mail for mail in spams if mail.number in varied][:400]
    numbers = {mail.number for mail in originals}
    good = chosen.sample([mail for mail in usable if mail.kind == "ham"], 1500)
    base = originals + good
    queries = good + [mail for mail in usable if mail.kind in KINDS and mail.number in numbers]
    print(f"{len(base)} mails known, {len(good)} good ones asked, {len(queries) - len(good)} near duplicates")
    print("recall, %                            light medium heavy   false matches of good mails")
    wanted = judge_bands(base + queries[len(good):], lambda mail: mail.text, lambda mail: True, rows, bands, need,
                         f"{bands} bands of {rows}, {need} needed")
    for name, digest, score in (
            ("TLSH", lambda text: tlsh.hash(text), lambda a, b: -tlsh.diffxlen(a, b)),
            ("ssdeep", lambda text: ssdeep.hash(text), lambda a, b: ssdeep.compare(a, b))):
        start = time.process_time()
        digests = {id(mail): digest(mail.visible) for mail in base + queries}
        cost = 1e6 * (time.process_time() - start) / len(digests)
        nothing = sum(not each for each in digests.values())
        worst, own = [], collections.defaultdict(list)
        for mail in queries:
            mine = digests[id(mail)]
            if mail.kind == "ham":
                worst.append(max((score(mine, digests[id(other)]) for other in base
                                  if other is not mail and digests[id(other)] and
                                  organisation(other.domain) != organisation(mail.domain)), default=-9999)
                             if mine else -9999)
            else:
                theirs = digests[id(next(each for each in originals if each.number == mail.number))]
                own[mail.kind].append(score(mine, theirs) if mine and theirs else -9999)
        worst.sort(reverse=True)
        for rate in (wanted, 2 * wanted, 0.01, 0.05):
            limit = worst[min(len(worst) - 1, int(rate * len(worst)))]
            hits = {kind: sum(each > limit for each in own[kind]) for kind in KINDS}
            report(f"{name} nearer than {abs(limit)}", hits, {kind: len(own[kind]) for kind in KINDS},
                   sum(each > limit for each in worst), len(worst))
        print(f"{name}: {cost:.0f} us CPU a hash, {nothing} of {len(digests)} texts without one")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[2]) as lines:
        read = [Mail(line) for line in lines]
    if sys.argv[1] == "bands":
        compare_bands(read)
    else:
        compare_peers(read, *(int(each) for each in sys.argv[3:6] or (3, 10, 2)))
