"""Records rendered for people: one HTML file a run, runs side by side, and the terminal. Computes nothing.

``report.html.render(run)`` and ``report.comparison.render(runs)`` return HTML; ``report.terminal`` returns what
rich prints.
"""
