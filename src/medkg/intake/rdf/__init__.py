"""Reading RDF that strangers send: Turtle, N-Triples, RDF/XML and JSON-LD, each statement with its place.

:func:`recognise` tells what a document is, tables included; :func:`read_rdf` reads it.  Neither raises for
what the bytes are: what is wrong with a document is told as flaws, whose texts are in the catalogue.
"""

from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.reader import read_rdf
from medkg.intake.rdf.recognise import Recognised, recognise

__all__ = ["Limits", "Recognised", "read_rdf", "recognise"]
