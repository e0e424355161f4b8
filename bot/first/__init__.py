"""``hawkeye init``: a first settings file, guessed from the names and values of tables' columns.

``columns`` looks at a table, ``roles`` says what its columns mean, ``models`` what is predicted and
how well that can be measured, ``text`` writes it down with a word wherever it is a guess: metrics
by the names of ``naming``, the engine's ``address`` without its secrets.
"""
