"""How people label images and judge units, beside the network.

- `naming`: the images and classes that answers may name; `reading`: answers in files
- `comparing`, `agreement`, `doubt`: people beside the network: image by image, in their errors, in how sure
  they are
- `trials`: what is asked of a unit; `choices`: what people answered; `judging`, `scores`: how often they are
  right
"""
