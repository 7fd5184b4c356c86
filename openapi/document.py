"""Prints the OpenAPI document as /openapi.json answers it. Example: python openapi/document.py"""

import json
import sys

from app.api.openapi import document
from app.main import ENDPOINTS

json.dump(document(ENDPOINTS), sys.stdout, ensure_ascii=False, indent=1, default=str)
