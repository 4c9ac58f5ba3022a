"""Changes that matter: numbers, dates, names and negations that differ in an edited passage.

An editor who compares two versions wants to know that "about 100" became "100", "Raqqa" became
"Mosul", and that a "not" is gone. `changed_facts` lists those, and nothing that only looks
different: "4,000" is "4000" and "four thousand", "85 %" is "85 percent", "May 3" is "3rd of
May", "Brett McGurk" is "McGurk". It says less rather than something wrong: where so much was
rewritten that it is open which fact took the place of which, it is silent.

Each text is read around the places where the two differ, for what it states there; what shares
an aligned word, or stands in one gap between aligned words, is then compared. What is known of
each language, some thirty of them, stands in `data/facts.toml`. Figures are compared in any
language, names in any script with capitals.

Each module imports only from those above it:

| module | what |
| --- | --- |
| `_kinds` | what is reported of a change |
| `_roles`, `_forms` | what words may be, and the words that a language's table lists |
| `_lexicon`, `_language` | what is known of a language, and which one a passage is in |
| `_characters`, `_figures` | characters that tell something, and the value of figures |
| `_sides` | a text's side of a passage, and a fact it mentions |
| `_amounts` | whether two numbers are one |
| `_bare_numbers`, `_numbers` | numbers as they are written, without and with what stands beside |
| `_dates`, `_names` | dates and names, the same of each |
| `_reading` | all that a side states around the places where it differs |
| `_passages` | both sides together, gap by gap |
| `_changes`, `_negations` | numbers, dates and names that differ; negations that do |
| `_parts` | from texts and tokens to sides and gaps |
| `_comparing` | from two texts to the facts that changed |
"""

from __future__ import annotations

from dedupe.facts._comparing import changed_facts
from dedupe.facts._kinds import DATE, NAME, NEGATION, NUMBER, ChangedFact

__all__ = ["DATE", "NAME", "NEGATION", "NUMBER", "ChangedFact", "changed_facts"]
