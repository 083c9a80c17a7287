"""The functions that the engine has beyond SPARQL 1.1, as the service description names them."""

from typing import Final

__all__ = ["EXTENSIONS"]

_GEOSPARQL: Final = "http://www.opengis.net/def/function/geosparql/"
_NAMES: Final = (
    "area asGeoJSON centroid convexHull coordinateDimension difference dimension distance ehContains "
    "ehCoveredBy ehCovers ehDisjoint ehEquals ehInside ehMeet ehOverlap envelope getSRID intersection "
    "isEmpty isSimple length perimeter rcc8dc rcc8ec rcc8eq rcc8ntpp rcc8ntppi rcc8po rcc8tpp rcc8tppi "
    "relate sfContains sfCrosses sfDisjoint sfEquals sfIntersects sfOverlaps sfTouches sfWithin "
    "spatialDimension symDifference union"
)

EXTENSIONS: Final = tuple(_GEOSPARQL + name for name in _NAMES.split())
"""The functions of GeoSPARQL 1.1 (OGC 22-047r1) that the engine evaluates."""
