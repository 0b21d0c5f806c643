"""The script that Streamlit runs for every visitor of every Streamlit demo."""

from gallery.bridges import streamlit

streamlit.show()
