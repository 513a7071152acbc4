"""Speed against torch and others: one script a question, both sides interleaved in one run.

``python -m benchmarks.speed.train`` (or ``profile``, ``lengths``, ``cells``, ``sequence``, ``inference``, ``stream``,
``fit``, ``memory``, ``never_slower``) measures and writes ``results/<name>.txt``. Peers that are not installed are left
out, and the table says so. Numbers behind the name are numbers of threads (1 and 2 by default).
"""
