"""The Data Explorer: data links, paging, previews, downloads, uploads, changes.

It knows neither Jupyter nor the Hub.
"""
