"""medkg: the open knowledge graph of Europe's MedTech smart-specialisation ecosystem.

The package is the product without HTTP: it builds the graph from the ontology, the vocabularies and the
data that travel with it, validates it with SHACL, and answers SPARQL and the saved questions.  The HTTP face
is the neighbouring package ``medkg_api``.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("medkg")
