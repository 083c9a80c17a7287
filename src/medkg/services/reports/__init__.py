"""The faces of a validation report: from one value to JSON, HTML, CSV, SARIF, text and marked workbooks."""
