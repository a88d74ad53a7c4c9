#!/bin/sh
# Builds Broadgauge Sans from Noto Sans CJK SC (OFL-1.1), so that charts look the same on every machine.
#
# Needs: Debian's fonts-noto-cjk (1:20220127), python3 with venv, and PyPI (fonttools).
# Both weights hold Latin, Greek, symbols and all 6,763 Chinese characters of GB 2312.
# The family gets its own name so that it never stands in for, or collides with, an installed Noto.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
noto=${1:-/usr/share/fonts/opentype/noto}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install 'fonttools==4.68.0'

"$work/venv/bin/python" - "$work" <<'PYTHON'
import sys
work = sys.argv[1]
def gb2312(rows):
    """The characters of some rows (qu) of GB 2312: 1-9 symbols, 16-87 Chinese characters."""
    for row in rows:
        for cell in range(1, 95):
            try:
                yield bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312")
            except UnicodeDecodeError:
                pass
latin = [chr(c) for c in [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA)] if c not in (0xAD, 0x3A2)]
signs = list("‐–—‘’“”†‡•…‰′″€™←↑→↓↔−√∞≈≠≤≥±×÷·°²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉½¼¾■□▲△▼▽◆◇●○◎★☆✓✗％‰㎡〇")
symbols = gb2312([1, 2, 3])  # punctuation, numbered and full-width forms; kana, Greek and Cyrillic rows are left out
characters = set().union(latin, signs, symbols, gb2312(range(16, 88)))
with open(f"{work}/characters.txt", "w", encoding="utf-8") as out:
    out.write("".join(sorted(characters)))
PYTHON

for weight in Regular Bold; do
    # Face 2 of the collection is SC. Its quotes and ellipsis are a full character wide, which tears English apart;
    # the proportional forms of the same font read well in both languages.
    "$work/venv/bin/python" - "$noto/NotoSansCJK-$weight.ttc" "$work/$weight-source.otf" <<'PYTHON'
import sys
from fontTools.ttLib import TTCollection
font = TTCollection(sys.argv[1]).fonts[2]
layout = font["GSUB"].table
narrow = {}
for feature in layout.FeatureList.FeatureRecord:
    if feature.FeatureTag == "pwid":
        for index in feature.Feature.LookupListIndex:
            for table in layout.LookupList.Lookup[index].SubTable:
                narrow.update(getattr(table, "ExtSubTable", table).mapping)
for table in font["cmap"].tables:
    for sign in "‘’“”…":
        if ord(sign) in getattr(table, "cmap", {}):
            wide = table.cmap[ord(sign)]  # tables may share one mapping, already changed
            table.cmap[ord(sign)] = narrow.get(wide, wide)
font.save(sys.argv[2])
PYTHON
    # Vertical metrics and layout other than kerning are of no use in a chart.
    "$work/venv/bin/pyftsubset" "$work/$weight-source.otf" \
        --text-file="$work/characters.txt" --layout-features=kern --no-hinting \
        --drop-tables+=vhea,vmtx,VORG,BASE,GSUB --name-IDs=0,1,2,4,5,6,13,14 \
        --output-file="$work/$weight.otf"
    "$work/venv/bin/python" - "$work/$weight.otf" "$here/BroadgaugeSans-$weight.otf" "$weight" <<'PYTHON'
import sys
from fontTools.ttLib import TTFont
source, target, weight = sys.argv[1:]
font = TTFont(source, recalcTimestamp=False)
# Ascent and descent of the Latin and Chinese ink together, without Noto's line gap (which is for mixed Indic text).
font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = 980, -260, 0
for record in list(font["name"].names):
    if record.langID != 0x409:
        font["name"].names.remove(record)
names = {1: "Broadgauge Sans", 2: weight, 4: f"Broadgauge Sans {weight}", 6: f"BroadgaugeSans-{weight}"}
for record in font["name"].names:
    if record.nameID in names:
        record.string = names[record.nameID]
cff = font["CFF "].cff
cff.fontNames[0] = names[6]
top = cff.topDictIndex[0]
top.FamilyName, top.FullName = names[1], names[4]
font.save(target)
PYTHON
done
ls -l "$here"/*.otf
