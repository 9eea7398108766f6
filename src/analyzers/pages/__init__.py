"""How the analysers describe their pages: a module each, with `PAGE` (blocks) and where there are any `HIGHLIGHTS`.

A page only names places in the results. An analyser may as well hold its page itself, so that it stays one file.
"""
