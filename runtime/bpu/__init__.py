"""The simulated board: chips as data, and what a network costs on them.

| module | holds |
|---|---|
| `march` | reading march files |
| `march_data` | what they say, as dataclasses |
| `operation` | description of one operation |
| `graph_operations` | the nodes of a graph, so described |
| `operation_measures` | what limits are put on |
| `operation_cost` | cycles of one operation |
| `network_cost` | time of a network |
| `estimate` | time of any network, docs/estimate.md |
| `error_words` | how far estimates are from silicon |
| `march_page` | docs/marches.md |
| `march_digest` | a march's content in 64 digits |
| `checker` | whether a march runs a graph, docs/checker.md |
| `program` | instructions, and their file, docs/bpu.md |
| `compiler` | graphs to programs, docs/bpu.md |
| `simulator` | runs programs |
| `performance` | where a program's time goes |
"""
