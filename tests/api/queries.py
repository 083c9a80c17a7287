"""What the tests of `/sparql` share: texts, and what a browser accepts."""

SELECT = """SELECT ?region ?name {
  VALUES ?region { nuts:PL22 } ?region skos:prefLabel ?name FILTER(LANG(?name) = "pl")
}"""
ASK = "ASK { nuts:PL22 a medkg:Region }"
CONSTRUCT = "CONSTRUCT { nuts:PL22 a ?class } WHERE { GRAPH graph:nuts { nuts:PL22 a ?class } }"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
